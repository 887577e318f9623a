"""Bytes to text: byte order marks, strict UTF-8, what the file declares, then the best fit."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from pipeline.errors import InputError
from pipeline.reading import legacy

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]*?encoding|<meta[^>]*?charset)\s*=\s*["']?([\w.:-]+)""", re.I
)
_UTF8_PAIR = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
#: Lead bytes of the everyday characters and punctuation of each double-byte encoding, and the
#: lowest everyday trail byte: real text lies there, text in another encoding seldom does.
_EVERYDAY = {
    "gb18030": (rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "big5": (rb"[\xa1-\xa3\xa4-\xc6][\x40-\x7e\xa1-\xfe]"),
    "shift_jis": (rb"[\x81-\x83\x88-\x97][\x40-\x7e\x80-\xfc]"),
    "euc_jp": (rb"[\xa1-\xa5\xb0-\xcf][\xa1-\xfe]"),
    "euc_kr": (rb"[\xa1-\xa3\xb0-\xc8][\xa1-\xfe]"),
}
#: Share of the double-byte characters that must be everyday ones.
_MIN_EVERYDAY = 0.8
NEWLINE = b"\n"
_REMEDY = "Save the file as UTF-8 and run again."


def decode(data: bytes, path: Path, place: str | None = None) -> tuple[str, str]:
    """Return the text and the name of the encoding it was read as.

    Raises:
        InputError: The bytes are no text, or not what they claim to be; names the line.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _strict(data, name, path, place), name
    wide = _utf16_without_mark(data)
    if wide:
        return _strict(data, wide, path, place), wide
    if b"\0" in data:
        problem = "It holds zero bytes, so it is not a text file."
        raise InputError(path, problem, place=place or _line(data, data.index(0)), remedy=_REMEDY)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        return _guess(data, error, path, place)


def _guess(
    data: bytes, error: UnicodeDecodeError, path: Path, place: str | None
) -> tuple[str, str]:
    declared = _declared(data)
    if declared and declared != "utf-8":
        return _strict(data, declared, path, place), declared
    if _is_damaged_utf8(data):
        raise _invalid(data, "utf-8", error.start, path, place)
    name = _double_byte(data) or legacy.single_byte(data)
    if name is None:
        raise _unknown(data, error.start, path, place)
    return data.decode(name), name


def _declared(data: bytes) -> str | None:
    found = _DECLARED.search(data[:2048])
    if not found:
        return None
    try:
        name = codecs.lookup(found[1].decode()).name
    except LookupError:
        return None
    # What is declared as an old Chinese set nearly always uses its successor.
    return {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252"}.get(name, name)


def _strict(data: bytes, name: str, path: Path, place: str | None) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise _invalid(data, name, error.start, path, place) from error


def _invalid(data: bytes, name: str, at: int, path: Path, place: str | None) -> InputError:
    line = _line(data, at)
    problem = f"Byte 0x{data[at]:02X} is not valid {name.upper()}."
    return InputError(path, problem, place=f"{place}, {line}" if place else line, remedy=_REMEDY)


def _unknown(data: bytes, at: int, path: Path, place: str | None) -> InputError:
    line = _line(data, at)
    remedy = "Convert it: iconv -f ENCODING -t UTF-8 FILE > NEW (iconv -l lists the encodings)."
    problem = "It is not UTF-8, and no encoding makes sense of it."
    return InputError(path, problem, place=f"{place}, {line}" if place else line, remedy=remedy)


def _line(data: bytes, at: int) -> str:
    return f"line {data.count(NEWLINE, 0, at) + 1}"


def _is_damaged_utf8(data: bytes) -> bool:
    """Tell UTF-8 with a few bad bytes from text in another encoding."""
    n_good = len(_UTF8_PAIR.findall(data))
    n_bad = len(re.findall(rb"[\x80-\xff]", _UTF8_PAIR.sub(b"", data)))
    return n_good > 4 * n_bad


def _utf16_without_mark(data: bytes) -> str | None:
    head = data[:4000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 4 or even + odd < len(head) / 8:
        return None
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _double_byte(data: bytes) -> str | None:
    scores = {name: _everyday_share(data, name) for name in _EVERYDAY}
    best = max(scores.values())
    if best < _MIN_EVERYDAY:
        return None
    close = [name for name, score in scores.items() if score > best - 0.02]
    if "euc_kr" in close and _is_spaced(data):
        return "euc_kr"
    if "euc_jp" in close and re.findall(rb"[\xa4\xa5][\xa1-\xfe]", data):
        return "euc_jp"
    return next(name for name in close if name != "euc_kr") if close != ["euc_kr"] else "euc_kr"


def _everyday_share(data: bytes, name: str) -> float:
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return 0.0
    wide = [char for char in text if ord(char) > 0x7F]
    everyday = re.compile(_EVERYDAY[name])
    n_everyday = sum(bool(everyday.fullmatch(char.encode(name))) for char in wide[:4000])
    return n_everyday / max(1, len(wide[:4000]))


def _is_spaced(data: bytes) -> bool:
    """Tell Korean, which has spaces between words, from Chinese in the same bytes."""
    n_wide = len(re.findall(rb"[\x80-\xff]", data)) / 2
    return data.count(b" ") > n_wide / 8

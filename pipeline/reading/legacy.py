"""Single-byte encodings of the time before Unicode, told by the letters they make of the bytes."""

from __future__ import annotations

import re
from collections import Counter

from pipeline.reading import language

#: The commonest letters of each alphabet, about two thirds of any text in it.
_CYRILLIC, _GREEK = "оеаинтсрвл", "αοιετσνηυρ"
_HEBREW, _ARABIC = "יוהלאתרבמש", "اليمنوتربة"
_FREQUENT = {
    "cp1251": _CYRILLIC, "koi8_r": _CYRILLIC, "iso8859_5": _CYRILLIC, "cp866": _CYRILLIC,
    "cp1253": _GREEK, "cp1255": _HEBREW, "cp1256": _ARABIC,
}  # fmt: skip
#: Share of the bytes above ASCII that must be frequent letters.
MIN_FREQUENT = 0.4
#: Language → the encodings of its Latin letters, the likelier first.
_LATIN = {
    **dict.fromkeys(("pl", "cs", "sk", "hu", "hr", "sl", "bs", "sq"), ("cp1250", "iso8859_2")),
    "ro": ("cp1250", "iso8859_16", "iso8859_2"),
    "tr": ("cp1254",),
    **dict.fromkeys(("lt", "lv"), ("cp1257",)),
}
SAMPLE_BYTES = 100_000


def single_byte(data: bytes) -> str | None:
    """Return the encoding of text that is not UTF-8; None if none makes sense of it."""
    sample = data[:SAMPLE_BYTES]
    letters = re.findall(rb"[A-Za-z\x80-\xff]", sample)
    n_high = sum(letter >= b"\x80" for letter in letters)
    return _other_alphabet(sample) if n_high > len(letters) / 2 else _latin(sample)


def _other_alphabet(sample: bytes) -> str | None:
    high = Counter(re.findall(rb"[\x80-\xff]", sample))
    scores = {name: _n_frequent(high, name) / high.total() for name in _FREQUENT}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= MIN_FREQUENT else None


def _n_frequent(high: Counter[bytes], name: str) -> int:
    return sum(
        count
        for byte, count in high.items()
        if byte.decode(name, errors="replace") in _FREQUENT[name]
    )


def _latin(sample: bytes) -> str:
    """Return the encoding of text in Latin letters: its plain letters tell the language."""
    plain = re.sub(rb"[\x80-\xff]", b"", sample).decode("ascii")
    names = _LATIN.get(language.detect(plain), ())
    sound = [name for name in names if _n_letters(sample, name) is not None]
    if sound:
        return max(sound, key=lambda name: _n_letters(sample, name) or 0)
    undefined = re.search(rb"[\x81\x8d\x8f\x90\x9d]", sample)
    return "latin-1" if undefined else "cp1252"


def _n_letters(sample: bytes, name: str) -> int | None:
    """Return how many bytes above ASCII are letters; None if some are nothing at all."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return None
    return sum(char > "\x7f" and char.isalpha() for char in text)

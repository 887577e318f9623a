"""The language of a text: what the file says, unless the writing itself says otherwise."""

from __future__ import annotations

import re

import py3langid  # type: ignore[import-untyped]

#: Enough to be sure, little enough to be quick.
SAMPLE_CHARS = 20_000
#: Below this many letters the statistical guess is worth less than the default.
MIN_LETTERS = 20
DEFAULT = "en"

_KANA = re.compile("[\u3041-\u30ff\u31f0-\u31ff]")
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LETTER = re.compile(r"[^\W\d_]")
_EAST_ASIAN = frozenset({"zh", "ja", "ko", "yue"})
#: Three-letter and old tags that files still carry.
_ALIASES = {
    "eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it",
    "por": "pt", "rus": "ru", "chi": "zh", "zho": "zh", "cmn": "zh", "jpn": "ja", "kor": "ko",
    "dut": "nl", "nld": "nl", "pol": "pl", "jp": "ja", "cn": "zh", "english": "en",
    "chinese": "zh", "french": "fr", "german": "de", "spanish": "es", "japanese": "ja",
    "italian": "it", "portuguese": "pt", "russian": "ru", "korean": "ko", "dutch": "nl",
}  # fmt: skip


def primary(tag: str | None) -> str | None:
    """Return the primary subtag of a language tag or name; None if it says nothing."""
    if not tag:
        return None
    first = re.split(r"[-_.\s]", tag.strip().lower())[0]
    first = _ALIASES.get(first, first)
    known = first.isascii() and first.isalpha() and len(first) in (2, 3)
    return first if known and first not in ("und", "mul", "zxx", "mis") else None


def decide(declared: str | None, text: str) -> str:
    """Return the language of a text: as declared, unless its very script contradicts that."""
    named, script = primary(declared), by_script(text)
    if named and (script is None) == (named not in _EAST_ASIAN):
        return named
    if named and script == "zh" and named in _EAST_ASIAN:
        return named
    return script or named or detect(text)


def by_script(text: str) -> str | None:
    """Return zh, ja or ko if the text is written in their scripts."""
    sample = text[:SAMPLE_CHARS]
    kana, hangul, han = (len(found.findall(sample)) for found in (_KANA, _HANGUL, _HAN))
    # One such character carries about as much as three Latin letters.
    if 3 * (kana + hangul + han) < len(_LETTER.findall(sample)) / 2 or not kana + hangul + han:
        return None
    if hangul > kana + han:
        return "ko"
    return "ja" if kana > 0.05 * (kana + han) else "zh"


def detect(text: str) -> str:
    """Return the most likely language of a text in an alphabet."""
    sample = text[:SAMPLE_CHARS]
    if len(_LETTER.findall(sample)) < MIN_LETTERS:
        return DEFAULT
    return str(py3langid.classify(sample)[0])

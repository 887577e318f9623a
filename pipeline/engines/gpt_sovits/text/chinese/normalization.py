"""Chinese text as written → Chinese characters to be said, and six marks.

The rules and their order are upstream's (text/zh_normalization/text_normlization.py and
text/chinese2.py, after PaddleSpeech); the same for v1 and v2.
"""

from __future__ import annotations

import re
import string

from pipeline.engines.gpt_sovits.text import symbols
from pipeline.engines.gpt_sovits.text.chinese import arithmetic, dates, numbers, quantities
from pipeline.engines.gpt_sovits.text.chinese.simplified import simplify
from pipeline.engines.gpt_sovits.text.chinese.telephones import read_telephones

#: Never said and never a pause.
_SILENT = re.compile(r"[ —《》【】<>{}()（）#&@“”^_|\\]")
_CLAUSE_END = re.compile("([：、，；。？！,;?!][”’]?)")

_NARROW = str.maketrans({chr(ord(c) + 0xFEE0): c for c in string.ascii_letters + string.digits})

#: Symbols that no rule has taken are said by name.
_NAMES = str.maketrans(
    {
        **dict(zip("①②③④⑤⑥⑦⑧⑨⑩", "一二三四五六七八九十", strict=True)),
        **dict(zip("+-×÷=/", "加减乘除等每", strict=True)),
        **dict.fromkeys("α", "阿尔法"),
        **dict.fromkeys("β", "贝塔"),
        **dict.fromkeys("γΓ", "伽玛"),
        **dict.fromkeys("δΔ", "德尔塔"),
        **dict.fromkeys("ε", "艾普西龙"),
        **dict.fromkeys("ζ", "捷塔"),
        **dict.fromkeys("η", "依塔"),
        **dict.fromkeys("θΘ", "西塔"),
        **dict.fromkeys("ι", "艾欧塔"),
        **dict.fromkeys("κ", "喀帕"),
        **dict.fromkeys("λΛ", "拉姆达"),
        **dict.fromkeys("μ", "缪"),
        **dict.fromkeys("ν", "拗"),
        **dict.fromkeys("ξΞ", "克西"),
        **dict.fromkeys("ο", "欧米克伦"),
        **dict.fromkeys("πΠ", "派"),
        **dict.fromkeys("ρ", "肉"),
        **dict.fromkeys("ςσΣ", "西格玛"),
        **dict.fromkeys("τ", "套"),
        **dict.fromkeys("υ", "宇普西龙"),
        **dict.fromkeys("φΦ", "服艾"),
        **dict.fromkeys("χ", "器"),
        **dict.fromkeys("ψΨ", "普赛"),
        **dict.fromkeys("ωΩ", "欧米伽"),
    }
)

_MARKS = str.maketrans("：；，。！？\n·、$/—~～", ",,,.!?.,,.,-……")

#: Read as the character that sounds alike, which the dictionaries know.
_SOUNDALIKES = str.maketrans("嗯呣", "恩母")

_UNSPOKEN = re.compile(rf"[^\u4e00-\u9fa5{re.escape(symbols.PUNCTUATION)}]+")
_REPEATED_MARKS = re.compile("([{0}])[{0}]+".format(re.escape(symbols.PUNCTUATION)))


def normalize(text: str) -> str:
    """Return the text in simplified characters and the marks `!?…,.-`, numbers in words."""
    return _REPEATED_MARKS.sub(r"\1", _UNSPOKEN.sub("", spell_out(text)))


def spell_out(text: str) -> str:
    """Return the text with all in words that can be; the rest still stands in it."""
    return in_words(text).translate(_SOUNDALIKES).replace("...", "…").translate(_MARKS)


def in_words(text: str) -> str:
    """Return the text with numbers and signs in words, and marks as they are."""
    return "".join(_spell_out_clause(clause) for clause in _clauses(text))


def fold(text: str) -> str:
    """Write variants of a character as one; the length stays."""
    # Upstream drops this zero, and says 二〇二四 as 二二四.
    return simplify(text).translate(_NARROW).replace("〇", numbers.DIGITS[0])


def _clauses(text: str) -> list[str]:
    text = _CLAUSE_END.sub(r"\1\n", _SILENT.sub("", text)).strip()
    return [clause.strip() for clause in re.split("\n+", text)]


def _spell_out_clause(text: str) -> str:
    """Apply the rules, each to what those before it have left."""
    text = fold(text)
    text = dates.read_times(dates.read_dates(text))
    text = quantities.read_measures(text)
    text = arithmetic.read_shares(arithmetic.read_sums(text))
    text = read_telephones(text)
    text = arithmetic.read_ranges(text)
    text = numbers.read_negatives(text)
    text = numbers.read_decimals(numbers.read_versions(text))
    text = quantities.read_counts(text)
    text = numbers.read_numbers(numbers.read_long(text))
    return _SILENT.sub("", text.translate(_NAMES))

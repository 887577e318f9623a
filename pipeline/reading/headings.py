"""Lines that are chapter headings by their words."""

from __future__ import annotations

import re

_NUMBER = (
    r"(?:\d{1,4}|[IVXLCDM]{1,8}|(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety)(?:[- ]\w+)?|the\s+\w+|first|second|third|fourth|fifth))"
)
_WORD = (
    r"(?i:chapter|chapitre|kapitel|cap[ií]tulo|capitolo|hoofdstuk|rozdzia[łl]|глава|часть|part|book"
    r"|volume|act|scene|letter|canto|stave)"
)
_LONE = (
    r"(?i:prologue|epilogue|preface|foreword|introduction|afterword|interlude|conclusion|prolog"
    r"|epilog)"
)
_CJK = r"第\s*[0-9０-９零〇一二三四五六七八九十百千两]{1,9}\s*[章回节節卷部篇集话話幕](?!\w*[，。])"
HEADING = re.compile(
    rf"{_WORD}\s+{_NUMBER}(?:\s*[.:—–-]+\s*\S.{{0,80}}|[.:]?|\s+[A-ZÀ-Þ“\"'‘].{{0,70}}(?<![.!?,;]))"
    rf"|{_LONE}[.:]?|{_CJK}.{{0,40}}|(?:序章|楔子|引子|尾声|尾聲|后记|後記|番外).{{0,20}}"
)
#: A chapter number without a name.
BARE = re.compile(rf"{_WORD}\s+{_NUMBER}[.:]?|[ivxlcIVXLC\d]+\.?")
MAX_NAME_CHARS = 70
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "at", "by", "de", "for", "from", "in", "la", "of", "on", "or", "the", "to"}
)


def is_name(line: str) -> bool:
    """Tell whether the line right below a chapter number is the chapter's name."""
    line = line.strip()
    return len(line) <= MAX_NAME_CHARS and not line.endswith((".", ",", ";", "。"))


def is_capital_name(line: str) -> bool:
    """Tell whether a paragraph below a chapter number is its name: "THE SEA", "The Old House"."""
    words = re.findall(r"[^\W\d_][\w'’-]*", line)
    if not words or not is_name(line) or "\n" in line or ":" in line or line[0] in "\"“‘'«—-[(":
        return False
    return all(word[0].isupper() or word in _SMALL_WORDS for word in words)

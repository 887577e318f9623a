"""Numbers in English words, in the wording of the library inflect, which upstream uses.

That library is not used itself: importing it takes seconds, for these few rules.
"""

from __future__ import annotations

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_THOUSANDS = (
    " thousand million billion trillion quadrillion quintillion sextillion septillion octillion "
    "nonillion decillion"
).split(" ")
#: Ordinals that are not the cardinal with "th".
_ORDINALS = dict(
    zip(
        "one two three five eight nine twelve".split(),
        "first second third fifth eighth ninth twelfth".split(),
        strict=True,
    )
)
#: Longer numbers have no name.
_LONGEST = 3 * len(_THOUSANDS)


def cardinal(number: int, *, joins: bool = True) -> str:
    """Return "two hundred and one"; without "and" unless it joins."""
    digits = str(number)
    if len(digits) > _LONGEST:
        return " ".join(_ONES[int(digit)] for digit in digits)
    if number == 0:
        return _ONES[0]
    link = " and " if joins else " "
    groups: list[str] = []
    for power in range((len(digits) - 1) // 3, -1, -1):
        group = number // 1000**power % 1000
        if group:
            groups.append(f"{_below_thousand(group, link)} {_THOUSANDS[power]}".strip())
    if len(groups) > 1 and 0 < number % 1000 < 100:
        groups[-2:] = [f"{groups[-2]}{link}{groups[-1]}"]
    return ", ".join(groups)


def ordinal(number: int) -> str:
    """Return "two hundred and first"."""
    words = cardinal(number)
    start = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[start:]
    if last in _ORDINALS:
        return words[:start] + _ORDINALS[last]
    return words[:-1] + "ieth" if last.endswith("y") else words + "th"


def suffixed(number: int) -> str:
    """Return "201st"."""
    is_teen = number % 100 // 10 == 1
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def pairs(number: int) -> str:
    """Return four digits as a year is read: "nineteen oh five"."""
    first, second = divmod(number, 100)
    spoken = f"oh {_ONES[second]}" if 0 < second < 10 else cardinal(second)
    return f"{cardinal(first)} {spoken}"


def _below_thousand(number: int, link: str) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(_below_hundred(rest))
    return link.join(words)


def _below_hundred(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")

"""English text → words, with numbers, amounts, times and units spelt out.

The rules and their order are upstream's (text/english.py and text/en_normalization/expend.py),
oddities included: a checkpoint has learnt the words that these rules make. Marks other than
`'.,?!-` are dropped, so a semicolon makes no pause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from pipeline.engines.gpt_sovits.text.english import number_words
from pipeline.engines.gpt_sovits.text.english.number_words import cardinal

_MARKS = str.maketrans({"。": ".", "！": "!", "？": "?"})
_REPEATED = re.compile(r"([!?…,.\-\s])[!?…,.\-]+")
_INITIALISM = re.compile(r"(?<!^)(?<!\s)([A-Z])")
_UNHEARD = re.compile(r"[^ A-Za-z'.,?!\-]")

_POWERS = "⁰¹²³⁴⁵⁶⁷⁸⁹ˣʸⁿ"
_OPERAND = rf"(?:-?\d+(?:\.\d+)?[{_POWERS}]*|\.\d+[{_POWERS}]*|[A-Za-z][{_POWERS}]*)"
_SUM = re.compile(rf"({_OPERAND})\s+([+\-×÷=])\s+({_OPERAND})")
_OPERATORS = {"+": "plus", "-": "minus", "×": "times", "÷": "divided by", "=": "Equals"}

_LIST_NUMBER = re.compile(r"\b([0-9]+)\. ")
_NEGATIVE = re.compile(r"(?:^|\s+)-(\d+)")
_GROUPED = re.compile(r"[0-9][0-9,]+[0-9]")
_TIME = re.compile(r"\b([01]?[0-9]|2[0-3]):([0-5][0-9])\b")
_MEASURE = re.compile(r"\b([0-9]+(\.[0-9]+)?)(m|km|km/h|ft|L|tbsp|tsp|h|min|s|°C|°F)\b")
_DECIMAL = re.compile(r"([0-9]+)\.(\s*[0-9]+)")
_FRACTION = re.compile(r"([0-9]+)/([0-9]+)")
_ORDINAL = re.compile(r"([0-9]+)(?:st|nd|rd|th)")
_NUMBER = re.compile(r"[0-9]+")

#: Sign → one of it, several of it.
_UNITS = {
    "m": ("meter", "meters"),
    "km": ("kilometer", "kilometers"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "ft": ("feet", "feet"),
    "L": ("liter", "liters"),
    "tbsp": ("tablespoon", "tablespoons"),
    "tsp": ("teaspoon", "teaspoons"),
    "h": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "s": ("second", "seconds"),
    "°C": ("degree celsius", "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
}
#: Sign → the unit and its hundredth, each as one and as several.
_CURRENCIES = {
    "£": (("pound", "pounds"), ("penny", "pence")),
    "$": (("dollar", "dollars"), ("cent", "cents")),
}


def normalize(text: str) -> str:
    """Return the text in letters and the marks `'.,?!-`."""
    text = _spell_numbers(_spell_sums(text.translate(_MARKS)))
    decomposed = unicodedata.normalize("NFD", text)
    text = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    text = _UNHEARD.sub("", text.replace("%", " percent"))
    text = re.sub(r"(?i)i\.e\.", "that is", text)
    text = re.sub(r"(?i)e\.g\.", "for example", text)
    return _REPEATED.sub(r"\1", _INITIALISM.sub(r" \1", text))


def _spell_sums(text: str) -> str:
    text = _LIST_NUMBER.sub(lambda m: f"{number_words.suffixed(int(m[1]))}, ", text)
    while _SUM.search(text):
        text = _SUM.sub(lambda m: f"{m[1]} {_OPERATORS[m[2]]} {m[3]}", text)
    return _NEGATIVE.sub(r"negative \1", text)


def _spell_numbers(text: str) -> str:
    text = _GROUPED.sub(lambda m: m[0].replace(",", ""), text)
    text = _TIME.sub(_spell_time, text)
    text = _MEASURE.sub(_spell_measure, text)
    for sign in _CURRENCIES:
        text = re.sub(rf"{re.escape(sign)}([0-9.,]*[0-9]+)", _amount(sign), text)
        text = re.sub(rf"([0-9.,]*[0-9]+){re.escape(sign)}", _amount(sign), text)
    text = _DECIMAL.sub(lambda m: f"{m[1]} point {' '.join(m[2])}", text)
    text = _FRACTION.sub(_spell_fraction, text)
    text = _ORDINAL.sub(lambda m: number_words.ordinal(int(m[1])), text)
    return _NUMBER.sub(lambda m: _spell_number(int(m[0])), text)


def _spell_time(match: re.Match[str]) -> str:
    hours, minutes = int(match[1]), int(match[2])
    half = "a.m." if hours < 12 else "p.m."
    hour = cardinal(hours - 12 if hours > 12 else hours)
    return f"{hour} {cardinal(minutes)} {half}" if minutes else f"{hour} o'clock {half}"


def _spell_measure(match: re.Match[str]) -> str:
    is_one = match[2] is None and int(match[1]) == 1
    return f"{match[1]} {_UNITS[match[3]][0 if is_one else 1]}"


def _amount(sign: str) -> Callable[[re.Match[str]], str]:
    """Return what spells an amount in the currency of a sign."""
    whole_names, part_names = _CURRENCIES[sign]

    def spell(match: re.Match[str]) -> str:
        parts = match[1].replace(",", "").split(".")
        if len(parts) > 2:
            return f"{match[1]} {whole_names[1]}"
        whole = int(parts[0] or 0)
        part = int(parts[1].ljust(2, "0")) if parts[1:] else 0
        said = [
            f"{number} {names[0 if number == 1 else 1]}"
            for number, names in ((whole, whole_names), (part, part_names))
            if number
        ]
        return " and ".join(said) or f"zero {whole_names[1]}"

    return spell


def _spell_fraction(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    if below == 1:
        return cardinal(above)
    if below == 2:
        return f"{cardinal(above)} {'half' if above == 1 else 'halves'}"
    return f"{cardinal(above)} {number_words.ordinal(below)}{'s' if above > 1 else ''}"


def _spell_number(number: int) -> str:
    """Return a number in words; from 1001 to 2999 as years are read."""
    if not 1000 < number < 3000:
        return cardinal(number, joins=False)
    if number == 2000:
        return "two thousand"
    if 2000 < number < 2010:
        return f"two thousand {cardinal(number % 100)}"
    if number % 100 == 0:
        return f"{cardinal(number // 100)} hundred"
    return number_words.pairs(number)

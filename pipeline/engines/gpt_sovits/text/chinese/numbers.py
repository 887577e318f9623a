"""Digits → Chinese numerals.

Follows PaddleSpeech's rules as upstream has them (text/zh_normalization/num.py).
"""

from __future__ import annotations

import re

DIGITS = "零一二三四五六七八九"

#: Unit → how many digits stand after it, largest first.
_UNITS = {"亿": 8, "万": 4, "千": 3, "百": 2, "十": 1}

_NUMBER = re.compile(r"(-?)([0-9]+(?:\.[0-9]+)?)|\.[0-9]+")
_NEGATIVE = re.compile(r"-([0-9]+)")
_DECIMAL = re.compile(r"(-?)([0-9]+\.[0-9]+)|\.[0-9]+")
_VERSION = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)?(?:\.[0-9]+)+")
_LONG = re.compile(r"[0-9]{3,}")


def digits(number: str) -> str:
    """Say digit by digit: 2024 → 二零二四."""
    return "".join(DIGITS[int(digit)] for digit in number)


def dialled(number: str) -> str:
    """Say digit by digit as in telephone numbers, where 一 could be heard as 七: 110 → 幺幺零."""
    return digits(number).replace("一", "幺")


def cardinal(number: str) -> str:
    """Say a whole number: 10086 → 一万零八十六."""
    if not number:
        return ""
    said = _with_units(number.lstrip("0")) or DIGITS[0]
    return said.removeprefix("一") if said.startswith("一十") else said


def _with_units(number: str) -> str:
    significant = number.lstrip("0")
    if len(significant) <= 1:
        zero = DIGITS[0] if significant and significant != number else ""
        return zero + digits(significant)
    unit, places = next(item for item in _UNITS.items() if item[1] < len(significant))
    return _with_units(number[:-places]) + unit + _with_units(number[-places:])


def number(text: str) -> str:
    """Say a number that may have decimals: 3.200 → 三点二零."""
    whole, _, decimals = text.partition(".")
    said = cardinal(whole)
    if not decimals:
        return said
    if decimals.endswith("0"):
        decimals = decimals.rstrip("0") + "0"
    return f"{said or DIGITS[0]}点{digits(decimals)}"


def read_negatives(text: str) -> str:
    """-12 → 负十二."""
    return _NEGATIVE.sub(lambda match: "负" + number(match[1]), text)


def read_versions(text: str) -> str:
    """2.0.1 → 二点零点一."""
    return _VERSION.sub(lambda match: "点".join(map(digits, match[0].split("."))), text)


def read_decimals(text: str) -> str:
    """0.5 → 零点五."""
    return _DECIMAL.sub(_signed, text)


def read_long(text: str) -> str:
    """Three digits and more that nothing else has taken are a code: 221 → 二二幺."""
    return _LONG.sub(lambda match: dialled(match[0]), text)


def read_numbers(text: str) -> str:
    """12 → 十二, -0.5 → 负零点五."""
    return _NUMBER.sub(_signed, text)


def _signed(match: re.Match[str]) -> str:
    sign, unsigned = match.groups()
    return ("负" if sign else "") + number(unsigned or match[0])

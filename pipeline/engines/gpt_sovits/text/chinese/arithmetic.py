"""Sums, powers, fractions, percentages and ranges (upstream: text/zh_normalization/num.py)."""

from __future__ import annotations

import re

from pipeline.engines.gpt_sovits.text.chinese.numbers import number, read_numbers

_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ˣʸⁿ", "0123456789xyn")
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹ˣʸⁿ"
_OPERATORS = {"+": "加", "-": "减", "×": "乘", "÷": "除", "=": "等于"}

_TERM = (
    rf"(?:-?[0-9]+(?:\.[0-9]+)?[{_SUPERSCRIPTS}]*|\.[0-9]+[{_SUPERSCRIPTS}]*"
    rf"|[A-Za-z][{_SUPERSCRIPTS}]*)"
)
_SUM = re.compile(rf"({_TERM})([+\-×÷=])({_TERM})")
_POWER = re.compile(f"[{_SUPERSCRIPTS}]+")
_FRACTION = re.compile(r"(-?)([0-9]+)/([0-9]+)")
_PERCENTAGE = re.compile(r"(-?)([0-9]+(?:\.[0-9]+)?)%")
_RANGE = re.compile(
    r"(?<![0-9+\-×÷=])(-?[0-9]+(?:\.[0-9]+)?)[-~](-?[0-9]+(?:\.[0-9]+)?)(?![0-9+\-×÷=])"
)


def read_sums(text: str) -> str:
    """1+2=3 → 1加2等于3, 5² → 5的2次方. The numbers stay for later."""
    while _SUM.search(text):
        text = _SUM.sub(lambda match: match[1] + _OPERATORS[match[2]] + match[3], text)
    return _POWER.sub(lambda match: f"的{match[0].translate(_POWERS)}次方", text)


def read_shares(text: str) -> str:
    """1/3 → 三分之一, 5% → 百分之五."""
    text = _FRACTION.sub(
        lambda match: f"{_sign(match)}{number(match[3])}分之{number(match[2])}", text
    )
    return _PERCENTAGE.sub(lambda match: f"{_sign(match)}百分之{number(match[2])}", text)


def read_ranges(text: str) -> str:
    """3~5 → 三到五."""
    return _RANGE.sub(lambda match: f"{read_numbers(match[1])}到{read_numbers(match[2])}", text)


def _sign(match: re.Match[str]) -> str:
    return "负" if match[1] else ""

"""Dates and times of day (upstream: text/zh_normalization/chronology.py)."""

from __future__ import annotations

import re

from pipeline.engines.gpt_sovits.text.chinese.numbers import DIGITS, cardinal, digits

_DATE = re.compile(
    r"([0-9]{4}|[0-9]{2})年"
    r"(?:(0?[1-9]|1[0-2])月)?"
    r"(?:(0?[1-9]|[12][0-9]|30|31)([日号]))?"
)
_NUMERIC_DATE = re.compile(
    r"([0-9]{4})([- /.])(0[1-9]|1[0-2])\2(0[1-9]|[12][0-9]|3[01])",
)
_CLOCK = r"([0-1]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?"
_TIME = re.compile(_CLOCK)
_TIME_RANGE = re.compile(f"{_CLOCK}[~-]{_CLOCK}")

_HALF_HOUR = "30"


def read_dates(text: str) -> str:
    """2024年3月5日 and 2024-03-05 → 二零二四年三月五日."""
    text = _DATE.sub(lambda match: _date(*match.groups()), text)
    return _NUMERIC_DATE.sub(lambda match: _date(match[1], match[3], match[4], "日"), text)


def _date(year: str, month: str | None, day: str | None, mark: str | None) -> str:
    said = f"{digits(year)}年"
    if month:
        said += f"{cardinal(month)}月"
    if day:
        said += f"{cardinal(day)}{mark}"
    return said


def read_times(text: str) -> str:
    """8:05 → 八点零五分, 8:30-12:00 → 八点半至十二点."""
    text = _TIME_RANGE.sub(_time_range, text)
    return _TIME.sub(lambda match: _time(match[1], match[2], match[3]), text)


def _time_range(match: re.Match[str]) -> str:
    start = _time(match[1], match[2], match[3])
    # Upstream asks the first time whether the second is at half past.
    end = _time(match[4], match[5], match[6], is_half=match[2] == _HALF_HOUR)
    return f"{start}至{end}"


def _time(hour: str, minute: str, second: str | None, *, is_half: bool | None = None) -> str:
    said = f"{cardinal(hour)}点"
    if minute != "00":
        is_half = minute == _HALF_HOUR if is_half is None else is_half
        said += "半" if is_half else f"{_two_digits(minute)}分"
    if second and second != "00":
        said += f"{_two_digits(second)}秒"
    return said


def _two_digits(number: str) -> str:
    """05 → 零五."""
    return (DIGITS[0] if number.startswith("0") else "") + cardinal(number.lstrip("0"))

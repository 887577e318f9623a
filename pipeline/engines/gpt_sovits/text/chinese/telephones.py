"""Telephone numbers of mainland China (upstream: text/zh_normalization/phonecode.py)."""

from __future__ import annotations

import re

from pipeline.engines.gpt_sovits.text.chinese.numbers import dialled

_MOBILE = re.compile(
    r"(?<![0-9])(?:\+?86 ?)?1(?:[38][0-9]|5[0-35-9]|7[678]|9[89])[0-9]{8}(?![0-9])"
)
_LANDLINE = re.compile(
    r"(?<![0-9])(?:0(?:10|2[1-3]|[3-9][0-9]{2})-?)?[1-9][0-9]{6,7}(?![0-9])",
)
_NATIONAL = re.compile(r"400-?[0-9]{3}-?[0-9]{4}")


def read_telephones(text: str) -> str:
    """13812345678 → 幺三八幺二三四五六七八; a pause stands where a number has a gap."""
    for pattern in (_MOBILE, _LANDLINE, _NATIONAL):
        text = pattern.sub(_number, text)
    return text


def _number(match: re.Match[str]) -> str:
    groups = re.split("[- ]+", match[0].strip("+"))
    return "，".join(dialled(group) for group in groups)

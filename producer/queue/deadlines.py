"""Deadlines as people write them: "2h", "1d12h", or a moment with its time zone."""

from __future__ import annotations

import re
from datetime import datetime

from pipeline.errors import RequestError

_SPAN = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_UNITS_S = (86_400, 3_600, 60, 1)


def moment_s(text: str, now_s: float) -> int:
    """Return when a deadline is, in seconds since 1970.

    Args:
        text: As the user wrote it.
        now_s: What a span of time begins at.

    Raises:
        RequestError: It is neither a span of time nor a moment.
    """
    span = _SPAN.fullmatch(text.strip())
    if span and any(span.groups()):
        amounts = zip(span.groups(default="0"), _UNITS_S, strict=True)
        return int(now_s) + sum(int(amount) * unit_s for amount, unit_s in amounts)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RequestError(
            f"{text!r} is no deadline. Give a time from now, such as 2h, 30m or 1d12h, or a moment "
            "with its zone, such as 2026-12-01T06:00+01:00."
        ) from None
    if moment.tzinfo is None:
        raise RequestError(
            f"The deadline {text!r} says no time zone. Add one: {text.strip()}Z for UTC, or "
            f"{text.strip()}+01:00."
        )
    return int(moment.timestamp())

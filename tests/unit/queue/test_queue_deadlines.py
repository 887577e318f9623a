from __future__ import annotations

import pytest

from pipeline.errors import RequestError
from producer.queue.deadlines import moment_s

NOW_S = 1_800_000_000.7


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7_200), ("30m", 1_800), ("45s", 45), ("1d12h", 129_600), (" 1h30m ", 5_400)],
)
def test_a_span_of_time_begins_now(text: str, seconds: int) -> None:
    assert moment_s(text, NOW_S) == 1_800_000_000 + seconds


@pytest.mark.parametrize(
    "text",
    ["2027-01-15T09:00:00+01:00", "2027-01-15T08:00Z", "2027-01-15 08:00:00+00:00"],
)
def test_a_moment_counts_by_its_own_zone(text: str) -> None:
    assert moment_s(text, NOW_S) == 1_800_000_000


def test_a_moment_without_a_zone_is_refused_with_the_remedy() -> None:
    with pytest.raises(RequestError, match="2027-01-15T08:00Z for UTC"):
        moment_s("2027-01-15T08:00", NOW_S)


@pytest.mark.parametrize("text", ["", "soon", "2", "h", "2h30", "-2h", "30m2h", "1.5h"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(RequestError, match="is no deadline"):
        moment_s(text, NOW_S)

"""No golden case goes unread: a file that no test claims is a failure."""

from __future__ import annotations

import golden
import pytest


def test_every_golden_file_is_claimed_by_a_test_or_named_as_not_yet_claimed() -> None:
    claimed = set()
    for family in golden.FAMILIES:
        stems = {path.with_suffix("") for path in golden.cases(family)}
        claimed |= {path for path in golden.files() if path.with_suffix("") in stems}
    not_yet = {
        path
        for path in golden.files()
        if any(path.match(pattern) for pattern in golden.NOT_YET_CLAIMED)
    }
    assert set(golden.files()) == claimed | not_yet


@pytest.mark.parametrize("family", golden.FAMILIES)
def test_the_set_has_a_case_of_every_family(family: str) -> None:
    assert golden.cases(family)

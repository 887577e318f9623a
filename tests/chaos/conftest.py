"""Farms for the tests of a file: starting one takes longer than most faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from farm import Farm, farming


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Two workers, a finalizer and a reconciler, on a folder."""
    with farming(tmp_path_factory.mktemp("farm")) as farm:
        yield farm


@pytest.fixture
def farm(running: Farm) -> Farm:
    """The farm of this file, with everything up."""
    running.start()
    return running

"""A store, and voices in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from kept_voices import keep

from pipeline.manifest.voice import Voice
from pipeline.store.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def make(store: LocalStore) -> Callable[..., Voice]:
    """Save a voice of that name, with so many auxiliary clips."""
    return partial(keep, store)

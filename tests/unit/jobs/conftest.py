"""Jobs in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from queued_book import OPTIONS, TEXT, QueuedBook, Submit, prepared, submitted

from pipeline.store.local import LocalStore


@pytest.fixture
def root(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def output(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "out")


@pytest.fixture
def submit(root: LocalStore, output: LocalStore, tmp_path: Path) -> Submit:
    """Submit a text; the small book unless another is given."""

    def submit(text: str = TEXT, **options: object) -> QueuedBook:
        job = prepared(tmp_path, OPTIONS, text)
        return submitted(job, root, str(output.root), **options)  # type: ignore[arg-type]

    return submit

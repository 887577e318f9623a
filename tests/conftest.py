"""Fixtures every test may use: the real models, and a place to work."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.settings import Settings


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def whisper_dir(settings: Settings) -> Path:
    """The real Whisper base model; fetched once if this machine lacks it."""
    from pipeline.models import resolve

    return resolve.model_dir("whisper-base", settings=settings)

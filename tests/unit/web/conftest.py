"""A server of the web on loopback, and settings that let it be asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from web_site import Web, served

from pipeline.settings import Settings


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as site:
        yield site


@pytest.fixture
def allowing() -> Settings:
    """Settings that name the test's own machine."""
    return Settings(allowed_hosts=("127.0.0.1", "localhost"))

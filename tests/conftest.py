"""Fixtures every test may use: the real models, and a place to work."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings as examples

from pipeline.settings import Settings

# Tests run side by side: several threads of each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that runs the tests in the background has them ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's business.
examples.register_profile("patient", deadline=None)
examples.load_profile("patient")


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()


@pytest.fixture(scope="session")
def whisper_dir(settings: Settings) -> Path:
    """The real Whisper base model; fetched once if this machine lacks it."""
    from pipeline.models import resolve

    return resolve.model_dir("whisper-base", settings=settings)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a test needed its second try, of which nothing else is kept."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"first try of {report.nodeid}", yellow=True)
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.write_sep("-", title)
            terminalreporter.write_line(text)

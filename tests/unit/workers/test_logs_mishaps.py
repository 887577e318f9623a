"""What goes wrong is told in log lines too, in the same form, and gives no secret away."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SECRET = "the-secret-of-webhooks"

BEGIN = """
import logging, threading
from pipeline.settings import Settings
from workers import logs
settings = Settings()
secret = settings.webhook_secret.get_secret_value()
logs.configure(settings, "gpu-1")
"""


def lines_of(program: str, code: int, form: str = "json") -> list[dict[str, Any]]:
    """Run a program that logs; return its lines, none of which tells the secret."""
    ran = subprocess.run(
        [sys.executable, "-c", BEGIN + program],
        env={"VOXMILL_WEBHOOK_SECRET": SECRET, "VOXMILL_LOG_FORMAT": form},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    assert SECRET not in ran.stderr
    assert ran.stdout == ""
    return [json.loads(line) for line in ran.stderr.splitlines()] if form == "json" else []


def test_what_kills_a_process_is_a_line() -> None:
    (line,) = lines_of("raise ValueError(f'no {secret}')", 1)

    assert (line["level"], line["message"]) == ("critical", "the process ends")
    assert line["exception"].endswith("ValueError: no ***")


def test_what_kills_a_thread_is_a_line() -> None:
    program = """
def work():
    raise ValueError(f'no {secret}')
thread = threading.Thread(target=work, name="here")
thread.start()
thread.join()
"""
    (line,) = lines_of(program, 0)

    assert line["message"] == "the thread here ends"
    assert line["exception"].endswith("ValueError: no ***")


@pytest.mark.parametrize("arguments", ["secret, secret", "secret", "{'a': secret}"])
def test_a_message_that_does_not_fit_its_arguments_is_a_line(arguments: str) -> None:
    (line,) = lines_of(f"logging.warning('it is %(b)d', {arguments})", 0)

    assert line["level"] == "warning"
    assert line["message"].startswith("it is %(b)d ")
    assert "***" in line["message"]


def test_text_gives_no_secret_away_either() -> None:
    lines_of("logging.warning('it is %d', secret)\nraise ValueError(secret)", 1, form="text")

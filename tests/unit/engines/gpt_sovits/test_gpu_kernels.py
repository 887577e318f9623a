"""The GPU's kernels, without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_semantic as tiny

from pipeline.engines.gpt_sovits.semantic import kernels

#: Minutes of processor time in all: `make test` runs them, `make check` does not.
pytestmark = pytest.mark.slow

INTERPRETED = Path(__file__).with_name("interpreted_kernels.py")


def test_tritons_interpreter_gets_what_plain_arithmetic_gets() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(INTERPRETED)]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-1000:]
    assert "9 passed" in ran.stdout


def test_kernels_serve_the_real_network_and_no_odd_widths() -> None:
    assert kernels.suit(tiny.WIDE)
    assert not kernels.suit(replace(tiny.WIDE, width=48, n_heads=4))

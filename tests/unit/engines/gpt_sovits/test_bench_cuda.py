"""The bench of the GPU, where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
RESULT = ROOT / "bench" / "results" / "gpt_sovits_cuda.json"


def test_without_a_gpu_it_says_so_fails_and_writes_nothing() -> None:
    before = RESULT.read_bytes() if RESULT.exists() else None
    ran = subprocess.run(
        [sys.executable, "-m", "bench.gpt_sovits_cuda"],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "needs a CUDA GPU" in ran.stderr
    assert not ran.stdout
    assert (RESULT.read_bytes() if RESULT.exists() else None) == before

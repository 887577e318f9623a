from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import BusyError
from pipeline.run import lock

HOLD = """
import sys, time
from pathlib import Path
from pipeline.run import lock
with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_render_is_refused_with_the_process_that_holds_the_folder(tmp_path: Path) -> None:
    state = tmp_path / "out" / ".voxmill"
    other = subprocess.Popen([sys.executable, "-c", HOLD, state], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    with other, other.stdout:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"process {other.pid}"), lock.held(state):
            pass
        other.kill()


def test_a_killed_render_lets_go_of_the_folder(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    with other, other.stdout:
        other.stdout.readline()
        other.kill()
    with lock.held(tmp_path):
        pass


def test_the_folder_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        with lock.held(tmp_path):
            pass

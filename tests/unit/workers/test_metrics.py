"""What a worker has counted stays when its child is killed; what it showed goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from workers import metrics

#: A worker's child: counts, says so, and works on until it is killed.
CHILD = """
import sys, time
from workers import metrics
metrics.chunk_settled("passed", 2)
metrics.chunk_settled("flagged", 3)
metrics.retried("synth", "Lost")
metrics.shard_spoken(4, 10.0, 2.0)
metrics.shard_worked("synth", 3.0)
metrics.gpu_memory_bytes.labels("allocated").set(7.0)
print("counted", flush=True)
time.sleep(60)
"""
#: The supervisor: answers with what there is whenever it is asked.
SUPERVISOR = """
import sys
from workers import metrics
metrics.pending_shards.set(5)
for _ in sys.stdin:
    sys.stdout.write(metrics.exposition().decode() + "# EOF\\n")
    sys.stdout.flush()
"""

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def values(text: str) -> Values:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Processes:
    """A supervisor and its children, which know one folder."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, metrics.FOLDER: str(folder)}
        self._all: list[subprocess.Popen[str]] = []
        self.supervisor = self._start(SUPERVISOR)

    def child(self) -> subprocess.Popen[str]:
        """Start a child that has counted."""
        process = self._start(CHILD)
        assert process.stdout
        assert process.stdout.readline() == "counted\n"
        return process

    def seen(self) -> Values:
        """Ask the supervisor."""
        assert self.supervisor.stdin
        assert self.supervisor.stdout
        self.supervisor.stdin.write("?\n")
        self.supervisor.stdin.flush()
        return values("".join(iter(self.supervisor.stdout.readline, "# EOF\n")))

    def stop(self) -> None:
        for process in self._all:
            process.kill()
            process.communicate()

    def _start(self, code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        self._all.append(process)
        return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_what_killed_children_counted_is_not_forgotten(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    try:
        first = processes.child()
        alive = processes.seen()
        kill(first)
        kill(processes.child())
        seen = processes.seen()
    finally:
        processes.stop()

    assert alive["voxmill_chunks_total", (("outcome", "passed"),)] == 1
    assert seen["voxmill_chunks_total", (("outcome", "passed"),)] == 2
    assert seen["voxmill_takes_total", ()] == 10
    assert seen["voxmill_retries_total", (("reason", "Lost"), ("stage", "synth"))] == 2
    assert seen["voxmill_audio_seconds_total", ()] == 20
    assert seen["voxmill_chunk_seconds_count", ()] == 8
    assert seen["voxmill_chunk_seconds_sum", ()] == 4
    assert seen["voxmill_shard_seconds_count", (("stage", "synth"),)] == 2


def test_what_a_killed_child_showed_goes_with_it(tmp_path: Path) -> None:
    memory, pending = (
        ("voxmill_gpu_memory_bytes", (("kind", "allocated"),)),
        (
            "voxmill_pending_shards",
            (),
        ),
    )
    processes = Processes(tmp_path)
    try:
        child = processes.child()
        alive = processes.seen()
        kill(child)
        seen = processes.seen()
    finally:
        processes.stop()

    assert (alive[memory], alive[pending]) == (7.0, 5.0)
    assert alive["voxmill_real_time_factor", ()] == pytest.approx(0.2)
    assert memory not in seen
    assert ("voxmill_real_time_factor", ()) not in seen
    assert seen[pending] == 5.0


def test_a_shard_without_a_take_to_speak_counts_nothing() -> None:
    before = ours()

    metrics.shard_spoken(0, 0.0, 1.0)

    assert ours() == before


def ours() -> Values:
    found = values(metrics.exposition().decode())
    return {key: value for key, value in found.items() if key[0].startswith("voxmill_")}


def test_takes_that_gave_no_audio_have_no_real_time_factor() -> None:
    metrics.shard_spoken(1, 1.0, 0.5)
    metrics.shard_spoken(2, 0.0, 3.0)

    assert values(metrics.exposition().decode())["voxmill_real_time_factor", ()] == 0.5

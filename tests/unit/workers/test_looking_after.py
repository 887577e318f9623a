"""A reconciler as a process: what it says of itself while Redis is away, or a round never ends."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.errors import StoreUnavailableError
from pipeline.manifest.message import ADMIT
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from producer.queue import hint
from workers import app, looking_after
from workers.looking_after import _Hints, _Loop


class Rounds:
    """Rounds that go well or badly; nobody gives hints."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.n = 0

    def once(self, hints: set[JobRef]) -> None:
        self.n += 1
        if self.error:
            raise self.error

    def taken(self) -> set[JobRef]:
        return set()

    def wait(self, timeout_s: float, stopping: Any) -> None:
        pass


class Clock:
    """The process's clock."""

    def __init__(self) -> None:
        self.now_s = time.monotonic()

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(looking_after, "time", clock)
    return clock


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


@pytest.fixture
def loop(rounds: Rounds) -> _Loop:
    both: Any = rounds
    return _Loop(both, both, 5.0)


def test_a_reconciler_is_ready_after_its_first_good_round(loop: _Loop, rounds: Rounds) -> None:
    assert loop.is_alive()
    assert not loop.is_ready()
    rounds.error = StoreUnavailableError("the store is away")
    loop.turn(0.0)
    assert not loop.is_ready()
    rounds.error = None
    loop.turn(0.0)
    assert loop.is_ready()


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("away"), ConnectionError("refused"), KeyError("unforeseen")]
)
def test_a_round_that_comes_to_nothing_ends_nothing_and_a_restart_would_not_help(
    error: Exception, loop: _Loop, rounds: Rounds, clock: Clock
) -> None:
    loop.turn(0.0)
    rounds.error = error
    for _ in range(100):
        clock.now_s += 10
        loop.turn(0.0)
    assert rounds.n == 101
    assert loop.is_alive()
    assert not loop.is_ready()


def test_a_round_that_never_ends_is_a_reason_to_restart(loop: _Loop, clock: Clock) -> None:
    loop.turn(0.0)
    clock.now_s += 200
    assert loop.is_alive()
    clock.now_s += 200
    assert not loop.is_alive()


def test_a_first_round_that_never_ends_is_one_too(loop: _Loop, clock: Clock) -> None:
    clock.now_s = time.monotonic() + 400
    assert not loop.is_alive()


def test_all_hints_that_are_there_are_taken_at_once(redis_url: SecretStr) -> None:
    settings = Settings(redis_url=redis_url)
    queue = app.create(settings)
    first, second = JobRef("", "first"), JobRef("ann", "second")
    assert hint.send(settings, first)
    with queue.connection_for_write() as connection:
        connection.SimpleQueue(ADMIT).put({"neither": "job"})
    assert hint.send(settings, second)
    hints = _Hints(queue)
    hints.wait(30.0, threading.Event())
    assert hints.taken() == {first, second}
    assert hints.taken() == set()

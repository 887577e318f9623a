"""Jobs watched until they have ended: one listing of each a look, and each receipt read once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pipeline.errors import RequestError, StoreUnavailableError
from pipeline.jobs import state, tree
from pipeline.jobs.records import load_request, load_result, load_round
from pipeline.jobs.state import ENDED, Progress, State, Tally
from pipeline.jobs.tree import JobTree
from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.store.protocol import ObjectStore
from producer.queue.looking import read_receipts

#: Between two looks at a job: often when its end is near, for somebody waits for that.
PAUSE_S: dict[State, float] = {"queued": 0.5, "running": 1.0, "finishing": 0.25}
#: Looking takes at most this share of the time, however many jobs are watched.
MAX_SHARE = 0.25
#: A store that takes longer is said to be away, and waited for.
PATIENCE_S = 10.0
#: Speed is that of the last minute.
WINDOW_S = 60.0
#: Jobs looked at together.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a job gets on."""

    chunks_per_s: float
    #: Seconds of audio a second.
    audio_per_s: float
    #: None while nothing is known of it.
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A job has got on, or ended."""

    request: JobRequest
    state: State
    progress: Progress
    speed: Speed
    #: Once it has ended.
    result: Result | None


@dataclass(frozen=True, slots=True)
class Away:
    """The store does not answer; it is asked again."""

    detail: str


Tell = Callable[[Moved | Away], None]


def watch(
    requests: Sequence[JobRequest],
    root: ObjectStore,
    tell: Tell,
    sleep: Callable[[float], None] = time.sleep,
) -> list[State]:
    """Watch jobs until all have ended, whatever becomes of the store meanwhile.

    Returns:
        How each ended, in order.

    Raises:
        RequestError: A job was removed.
    """
    watched = [_Watched(request, root) for request in requests]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        while going := [each for each in watched if each.state not in ENDED]:
            began_s = time.monotonic()
            for news in _looks(going, pool, tell):
                if news:
                    tell(news)
            pauses_s = [PAUSE_S[each.state] for each in going if each.state not in ENDED]
            if pauses_s:
                sleep(max(min(pauses_s), (time.monotonic() - began_s) / MAX_SHARE))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who stops watching waits for nobody
    return [each.state for each in watched]


@dataclass(slots=True)
class _Watched:
    request: JobRequest
    root: ObjectStore
    state: State = "queued"
    _tallies: dict[str, Tally] = field(default_factory=dict)
    #: Number of the round that the figures are of.
    _round: int = 0
    _told: tuple[State, Progress] | None = None
    #: (when, chunks, seconds of audio), the last minute's.
    _past: deque[tuple[float, int, float]] = field(default_factory=deque)

    def look(self) -> Moved | Away | None:
        """Look once; None when nothing has happened."""
        store = tree.home(self.root, self.request.ref)
        try:
            found = tree.read(store, self.request.id)
            self._require_there(found, store)
            number = found.round
            result = load_result(self.request.id, number, store) if found.is_ended else None
            progress = self._progress(found, store)
        except StoreUnavailableError as error:
            return Away(str(error))
        self.state = state.state_of(found, result)
        if self._told == (self.state, progress):
            return None
        self._told = (self.state, progress)
        return Moved(self.request, self.state, progress, self._speed(progress), result)

    def _require_there(self, found: JobTree, store: ObjectStore) -> None:
        if not found.is_planned and load_request(self.request.id, store) is None:
            raise RequestError(f"The job {self.request.ref} was removed.")

    def _progress(self, found: JobTree, store: ObjectStore) -> Progress:
        new = [shard for shard in found.leaves() if shard in found.done - self._tallies.keys()]
        for receipt in read_receipts(self.request.id, new, store):
            self._tallies[receipt.shard] = state.tally(receipt)
        number = found.round
        round_ = load_round(self.request.id, number, store) if number else None
        progress = state.progress(self.request, found, round_, self._tallies)
        if number != self._round:
            self._round, self._told = number, None
            self._past.clear()
        return self._monotonic(progress)

    def _monotonic(self, progress: Progress) -> Progress:
        """Never go back: a damaged take that is made again was done once."""
        before = self._told[1] if self._told else None
        return before if before and before.n_done > progress.n_done else progress

    def _speed(self, progress: Progress) -> Speed:
        now_s = time.monotonic()
        self._past.append((now_s, progress.n_done, progress.audio_s))
        while len(self._past) > 2 and self._past[0][0] < now_s - WINDOW_S:
            self._past.popleft()
        first_s, n_before, audio_before_s = self._past[0]
        passed_s = now_s - first_s
        if not passed_s or progress.n_done == n_before:
            return Speed(0.0, 0.0, None)
        rate = (progress.n_done - n_before) / passed_s
        return Speed(
            chunks_per_s=rate,
            audio_per_s=(progress.audio_s - audio_before_s) / passed_s,
            left_s=(progress.n_chunks - progress.n_done) / rate,
        )


def _looks(
    jobs: Sequence[_Watched], pool: ThreadPoolExecutor, tell: Tell
) -> list[Moved | Away | None]:
    """Look at jobs; say so when the store takes its time."""
    looks = [pool.submit(job.look) for job in jobs]
    while wait(looks, PATIENCE_S).not_done:
        tell(Away(f"The store has not answered for {PATIENCE_S:.0f} s."))
    return [each.result() for each in looks]

"""An engine that fails on demand; load it as `faulty:FaultyEngine`, with this folder on the path.

A word in a chunk's text says how: "… crashcrashcrash …". Such words pass reading and planning
unchanged, and could be spoken. What is not faulty is the silent engine's hum.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Utterance
from pipeline.engines.silent import SilentEngine
from pipeline.errors import EngineError
from pipeline.settings import Settings

#: End the process: by a signal, by itself, by a bad pointer.
CRASH, EXIT, SEGFAULT = "crashcrashcrash", "exitexitexit", "segfaultsegfault"
#: Never return: asleep, or in C code that lets nothing else of the process run.
HANG, STUCK = "hanghanghang", "stuckstuckstuck"
#: Give audio that is none.
NAN, SILENCE, ENDLESS, EMPTY = "nannannan", "silencesilence", "endlessendless", "emptyempty"
#: Refuse the chunk as an engine should, and fail as none should.
ERROR, EXCEPTION = "errorerrorerror", "exceptionexception"
#: Run out of a GPU's memory, or of the processor's, in a batch of more than `fits`.
GPU_MEMORY, MEMORY = "gpumemorygpumemory", "memorymemory"
#: Crash, and refuse, so many times as the option `times` says; then all is well.
FLAKY_CRASH, FLAKY_ERROR = "flakycrashflakycrash", "flakyerrorflakyerror"

#: Name of the log in the folder.
LOG = "log.jsonl"
#: While a file of this name is in the folder, an engine that is loaded takes no time.
QUICK = "quick"
#: An endless take is so many times as long as it should be.
ENDLESSNESS = 20


class OutOfMemoryError(RuntimeError):
    """As torch's own is called and derived."""


@dataclass(frozen=True)
class Work:
    """A chunk that was begun, as a line of the folder's log."""

    text: str
    voice: str
    seed: int
    pid: int
    at_s: float


class FaultyEngine(SilentEngine):
    """Hums, but for texts that hold a word of this module.

    Options: `folder` is where it counts and logs, for all processes together; `cost_s` and `rtf` as
    of the silent engine; `fits` (2) the largest batch that memory suffices for; `times` (1) how
    often a flaky chunk fails; `batch` (16) the batch it likes.
    """

    name = "faulty"

    def __init__(self, settings: Settings, options: Mapping[str, str] | None = None) -> None:
        chosen = dict(options or {})
        self._folder = Path(chosen.pop("folder")) if "folder" in chosen else None
        self._fits = int(chosen.pop("fits", "2"))
        self._times = int(chosen.pop("times", "1"))
        self.capabilities = replace(
            SilentEngine.capabilities, preferred_batch=int(chosen.pop("batch", "16"))
        )
        super().__init__(settings, chosen)
        if self._folder and (self._folder / QUICK).exists():
            self._cost_s = 0.0

    def fingerprint(self) -> str:
        return "faulty 1, nothing is spoken"

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        self._require_memory(batch)
        yield from enumerate(map(self._speak, batch))

    def _require_memory(self, batch: Sequence[Utterance]) -> None:
        if len(batch) <= self._fits:
            return
        for utterance in batch:
            if GPU_MEMORY in utterance.text:
                raise OutOfMemoryError("CUDA out of memory.\nTried to allocate 2.00 GiB.")
            if MEMORY in utterance.text:
                raise MemoryError

    def _speak(self, utterance: Utterance) -> Clip | EngineError:
        self._log(utterance)
        ((_, clip),) = super().synthesize([utterance])
        assert isinstance(clip, Clip)
        for mark, fault in FAULTS.items():
            if mark in utterance.text:
                return fault(clip)
        if FLAKY_CRASH in utterance.text and self._fails_again(utterance):
            return _kill(clip)
        if FLAKY_ERROR in utterance.text and self._fails_again(utterance):
            return EngineError("not now")
        return clip

    def _log(self, utterance: Utterance) -> None:
        if self._folder is None:
            return
        work = Work(utterance.text, utterance.voice, utterance.seed, os.getpid(), time.time())
        _append(self._folder / LOG, json.dumps(vars(work)) + "\n")

    def _fails_again(self, utterance: Utterance) -> bool:
        """Count a failure of this text, whatever process it is in; False when it had enough."""
        assert self._folder, "a flaky engine counts in a folder"
        counter = self._folder / hashlib.sha256(utterance.text.encode()).hexdigest()[:16]
        _append(counter, ".")
        return counter.stat().st_size <= self._times


def log(folder: Path) -> list[Work]:
    """Return every chunk that was begun, in order; what is twice in it was done again."""
    path = folder / LOG
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [Work(**json.loads(line)) for line in lines]


def _append(path: Path, text: str) -> None:
    """Append in one piece: lines of several processes do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def _kill(_: Clip) -> Clip:
    os.kill(os.getpid(), signal.SIGKILL)
    return _sleep(_)


def _exit(_: Clip) -> Clip:
    os._exit(7)


def _segfault(_: Clip) -> Clip:
    ctypes.string_at(0)
    raise AssertionError("the process is dead")


def _sleep(_: Clip) -> Clip:
    while True:
        time.sleep(3600)


def _stuck(_: Clip) -> Clip:
    """Wait for a lock that this very thread holds, without letting the interpreter go."""
    library: Any = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(128)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
    sys.exit("a lock was had twice")


def _raise(_: Clip) -> Clip:
    raise ValueError("no engine may raise this")


def _with_nan(clip: Clip) -> Clip:
    samples = clip.samples.copy()
    samples[len(samples) // 2] = np.nan
    return Clip(samples, clip.sample_rate_hz)


#: What becomes of a clip whose text holds the word.
FAULTS: Mapping[str, Callable[[Clip], Clip | EngineError]] = {
    CRASH: _kill,
    EXIT: _exit,
    SEGFAULT: _segfault,
    HANG: _sleep,
    STUCK: _stuck,
    NAN: _with_nan,
    SILENCE: lambda clip: Clip(np.zeros_like(clip.samples), clip.sample_rate_hz),
    ENDLESS: lambda clip: Clip(np.tile(clip.samples, ENDLESSNESS), clip.sample_rate_hz),
    EMPTY: lambda clip: Clip(clip.samples[:0], clip.sample_rate_hz),
    ERROR: lambda _: EngineError("cannot be spoken today"),
    EXCEPTION: _raise,
}

"""The engine asked for audio, and its answer not believed until it was looked at."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import EngineError, ShortageError

log = logging.getLogger(__name__)

#: What a RuntimeError says when a GPU's libraries, or torch on a processor, get no memory.
SHORT_OF_MEMORY = ("out of memory", "ALLOC_FAILED", "can't allocate memory")


class _TooLargeError(EngineError):
    """Memory does not suffice for an utterance, even alone."""


#: Index of an utterance, and what became of it.
Spoken = tuple[int, Clip | EngineError]


def speak(engine: Engine, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
    """Speak every utterance as `as_done` does, and return what became of them in order."""
    spoken = dict(as_done(engine, batch))
    return [spoken[index] for index in range(len(batch))]


def as_done(engine: Engine, batch: Sequence[Utterance]) -> Iterator[Spoken]:
    """Speak every utterance, in smaller batches where the memory does not suffice for one.

    Yields:
        One clip or one error an utterance, as soon as it is known, in any order: never audio that
        is empty or not a number.

    Raises:
        ShortageError: Of several utterances not even one fits, so none is to blame.
    """
    too_large: dict[int, _TooLargeError] = {}
    for index, spoken in _halving(engine, dict(enumerate(batch))):
        if isinstance(spoken, _TooLargeError):
            too_large[index] = spoken
        else:
            yield index, spoken
    if len(batch) > 1 and len(too_large) == len(batch):
        raise ShortageError(
            f"{engine.name}: memory does not suffice for any of {len(batch)} texts, even alone. "
            "Something else uses it, or it is too small: use fewer processes or a larger device."
        )
    yield from too_large.items()


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory was short, the processor's or a GPU's.

    By name and words, since not every engine brings torch along.
    """
    if isinstance(error, RuntimeError):
        is_torchs = type(error).__name__ == "OutOfMemoryError"
        return is_torchs or any(words in str(error) for words in SHORT_OF_MEMORY)
    return isinstance(error, MemoryError)


def _halving(engine: Engine, batch: Mapping[int, Utterance]) -> Iterator[Spoken]:
    left = dict(batch)
    try:
        for index, spoken in _asked(engine, batch) if batch else ():
            del left[index]
            yield index, spoken
        return
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        shortage = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    # Only here is the error gone, and what its traceback kept alive.
    gc.collect()
    if len(batch) == 1:
        refusal = _TooLargeError(
            f"Memory does not suffice to speak it, even alone ({shortage}). Use fewer "
            "processes, a larger device or a shorter sentence; more takes try it again."
        )
        yield from ((index, refusal) for index in left)
        return
    log.warning("%s: a batch of %d is halved: %s", engine.name, len(batch), shortage)
    indices, middle = [*left], len(left) // 2
    for half in (indices[:middle], indices[middle:]):
        yield from _halving(engine, {index: left[index] for index in half})


def _asked(engine: Engine, batch: Mapping[int, Utterance]) -> Iterator[Spoken]:
    owed = dict(enumerate(batch))
    for place, spoken in engine.synthesize([*batch.values()]):
        if place not in owed:
            break  # whose the others are cannot be told
        yield owed.pop(place), _sound(spoken, engine)
    for index in owed.values():
        problem = f"{engine.name} gave other results than one for each of {len(batch)} texts"
        yield index, EngineError(f"{problem}: the engine is at fault.")


def _sound(spoken: Clip | EngineError, engine: Engine) -> Clip | EngineError:
    """Return a clip that is one; whatever else an engine gives is its failure."""
    if isinstance(spoken, EngineError):
        return spoken
    problem = _problem(spoken, engine.capabilities.sample_rate_hz)
    return EngineError(f"{engine.name} gave {problem}.") if problem else spoken


def _problem(spoken: Clip, sample_rate_hz: int) -> str:
    if not isinstance(spoken, Clip):
        return f"{type(spoken).__name__} instead of audio"
    if spoken.samples.ndim != 1:
        return f"audio of shape {spoken.samples.shape} instead of one channel"
    if not len(spoken.samples):
        return "no audio"
    if not np.isfinite(spoken.samples).all():
        return "samples that are not numbers"
    if spoken.sample_rate_hz != sample_rate_hz:
        return f"audio at {spoken.sample_rate_hz} Hz instead of {sample_rate_hz} Hz"
    return ""

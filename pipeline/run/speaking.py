"""The engine asked for audio, and its answer not believed until it was looked at."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import EngineError, ShortageError

log = logging.getLogger(__name__)

#: What a RuntimeError says when a GPU's libraries, or torch on a processor, get no memory.
SHORT_OF_MEMORY = ("out of memory", "ALLOC_FAILED", "can't allocate memory")


class _TooLargeError(EngineError):
    """Memory does not suffice for an utterance, even alone."""


def speak(engine: Engine, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
    """Speak every utterance, in smaller batches where the memory does not suffice for one.

    Returns:
        One clip or one error an utterance, in order: never audio that is empty or not a number.

    Raises:
        ShortageError: Of several utterances not even one fits, so none is to blame.
    """
    spoken = _halving(engine, batch) if batch else []
    if len(batch) > 1 and all(isinstance(each, _TooLargeError) for each in spoken):
        raise ShortageError(
            f"{engine.name}: memory does not suffice for any of {len(batch)} texts, even alone. "
            "Something else uses it, or it is too small: use fewer processes or a larger device."
        )
    return spoken


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory was short, the processor's or a GPU's.

    By name and words, since not every engine brings torch along.
    """
    if isinstance(error, RuntimeError):
        is_torchs = type(error).__name__ == "OutOfMemoryError"
        return is_torchs or any(words in str(error) for words in SHORT_OF_MEMORY)
    return isinstance(error, MemoryError)


def _halving(engine: Engine, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
    try:
        return _asked(engine, batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        shortage = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    # Only here is the error gone, and what its traceback kept alive.
    gc.collect()
    if len(batch) == 1:
        return [
            _TooLargeError(
                f"Memory does not suffice to speak it, even alone ({shortage}). Use fewer "
                "processes, a larger device or a shorter sentence; more takes try it again."
            )
        ]
    log.warning("%s: a batch of %d is halved: %s", engine.name, len(batch), shortage)
    middle = len(batch) // 2
    return [*_halving(engine, batch[:middle]), *_halving(engine, batch[middle:])]


def _asked(engine: Engine, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
    spoken = engine.synthesize(batch)
    if len(spoken) != len(batch):
        # Which of them is whose cannot be told.
        problem = f"{engine.name} gave {len(spoken)} results for {len(batch)} texts"
        return [EngineError(f"{problem}: the engine is at fault.") for _ in batch]
    return [_sound(each, engine) for each in spoken]


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

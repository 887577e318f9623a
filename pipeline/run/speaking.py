"""The engine asked for audio, and its answer not believed until it was looked at."""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence

import numpy as np

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Engine, Utterance
from pipeline.errors import EngineError

log = logging.getLogger(__name__)


def speak(engine: Engine, batch: Sequence[Utterance]) -> list[Clip | EngineError]:
    """Speak every utterance, in smaller batches where the memory does not suffice for one.

    Returns:
        One clip or one error an utterance, in order: never audio that is empty or not a number.
    """
    if not batch:
        return []
    try:
        spoken = engine.synthesize(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        shortage = str(error).partition("\n")[0]
    else:
        assert len(spoken) == len(batch), "an engine gives one result an utterance"
        return [_sound(each, engine) for each in spoken]
    # The error is gone here, and with it what its traceback kept alive.
    gc.collect()
    if len(batch) == 1:
        return [EngineError(f"memory does not suffice to speak it, even alone ({shortage})")]
    log.warning("out of memory with a batch of %d: halved", len(batch))
    middle = len(batch) // 2
    return [*speak(engine, batch[:middle]), *speak(engine, batch[middle:])]


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory was short, the processor's or a GPU's (torch's own class)."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def _sound(spoken: Clip | EngineError, engine: Engine) -> Clip | EngineError:
    """Return a clip that is one; whatever else an engine gives is its failure."""
    if isinstance(spoken, EngineError):
        return spoken
    if not len(spoken.samples):
        return EngineError(f"{engine.name} gave no audio")
    if not np.isfinite(spoken.samples).all():
        return EngineError(f"{engine.name} gave samples that are not numbers")
    if spoken.sample_rate_hz != engine.capabilities.sample_rate_hz:
        return EngineError(f"{engine.name} gave audio at {spoken.sample_rate_hz} Hz")
    return spoken

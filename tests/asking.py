"""What an engine gives, in the order it was asked for."""

from __future__ import annotations

from typing import Any

from pipeline.engines.protocol import Engine, Utterance


def ask(engine: Engine, *batch: Utterance) -> list[Any]:
    """Have an engine speak; return a clip or an error an utterance, as the engine gave them."""
    given = dict(engine.synthesize(batch))
    return [given[index] for index in range(len(batch))]

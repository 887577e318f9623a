"""Which engines there are, by name."""

from __future__ import annotations

from pipeline.engines.hibari import HibariEngine
from pipeline.engines.protocol import Engine
from pipeline.errors import RequestError
from pipeline.settings import Settings

ENGINES = {"hibari": HibariEngine}


def load(name: str, settings: Settings) -> Engine:
    """Return the engine of that name; its models are loaded when it first speaks.

    Raises:
        RequestError: There is no such engine.
    """
    if name not in ENGINES:
        raise RequestError(f"No engine {name!r}. Choose one of: {', '.join(ENGINES)}.")
    return ENGINES[name](settings)

"""What decides the sound of a chunk besides its text."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import names
from pipeline.manifest.plan import Chunk
from pipeline.manifest.request import RenderRequest


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the sound of a chunk besides its text, and how it is judged."""

    engine: str
    engine_fingerprint: str
    sample_rate_hz: int
    #: Revision of each voice by name.
    voice_revisions: dict[str, str]
    #: Names the marks: takes judged by another checker are judged again, not spoken again.
    checker: str
    speed: float
    seed: int
    max_takes: int

    def key(self, chunk: Chunk, take: int) -> str:
        """Return the key of a take of the chunk."""
        return names.take_key(
            chunk,
            voice_revision=self.voice_revisions[chunk.voice],
            engine_fingerprint=self.engine_fingerprint,
            speed=self.speed,
            seed=self.seed,
            take=take,
        )


def recipe_of(request: RenderRequest, sample_rate_hz: int, n_rounds: int = 1) -> Recipe:
    """Return the recipe of a request; each further round allows as many takes again."""
    return Recipe(
        engine=request.engine,
        engine_fingerprint=request.engine_fingerprint,
        sample_rate_hz=sample_rate_hz,
        voice_revisions=dict(request.voice_revisions),
        checker=request.checker,
        speed=request.speed,
        seed=request.seed,
        max_takes=request.max_takes * n_rounds,
    )

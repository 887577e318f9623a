"""A chunk around a sentence, for benches that need nothing else of a plan."""

from __future__ import annotations

from pipeline.manifest.plan import Chunk


def chunk_of(text: str, language: str) -> Chunk:
    """Return a chunk of one sentence."""
    return Chunk(
        index=0,
        chapter=0,
        text=text,
        sentences=(0,),
        voice="heart",
        language=language,
        pause_after_ms=0,
    )

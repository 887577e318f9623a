"""Names of objects and keys of takes; the only place that knows the object tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipeline.manifest.plan import Chunk

#: Raised when the meaning of a key changes, so that old audio is never taken for new.
KEY_VERSION = 1


def digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of canonical JSON, in hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def take_key(
    chunk: Chunk,
    *,
    voice_revision: str,
    engine_fingerprint: str,
    speed: float,
    seed: int,
    take: int,
) -> str:
    """Return the key of one take: a digest of everything that can change its sound.

    The chunk's position is left out on purpose: the same sentence costs one synthesis wherever
    it stands.
    """
    return digest(
        {
            "version": KEY_VERSION,
            "text": chunk.text,
            "language": chunk.language,
            "readings": [reading.model_dump() for reading in chunk.readings],
            "voice": voice_revision,
            "engine": engine_fingerprint,
            "speed": speed,
            "seed": seed,
            "take": take,
        }
    )


def seed_of(key: str) -> int:
    """Return the random seed of a take, 0 … 2³²-1: it depends on nothing but the key."""
    return int(key[:8], 16)


def audio(key: str) -> str:
    """Name of a take's audio."""
    return f"chunks/{key[:2]}/{key}.flac"


def marks(key: str, checker: str) -> str:
    """Name of a take's marks, as made by the checker with this fingerprint."""
    return f"chunks/{key[:2]}/{key}.{checker}.json"


def request(job_id: str) -> str:
    """Name of a job's request."""
    return f"jobs/{job_id}/request.json"


def plan(job_id: str) -> str:
    """Name of a job's plan."""
    return f"jobs/{job_id}/plan.json"


def result(job_id: str) -> str:
    """Name of a job's result: the one terminal decision."""
    return f"jobs/{job_id}/result.json"

"""Names of objects and keys of takes; the only place that knows the object tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

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


#: Prefix of all voices.
VOICES = "voices"


def voice(uuid: UUID) -> str:
    """Prefix of everything that belongs to a voice."""
    return f"{VOICES}/{uuid}"


def voice_record(uuid: UUID) -> str:
    """Name of a voice's record, written last: without it there is no voice."""
    return f"{voice(uuid)}/voice.json"


def voice_clip(uuid: UUID) -> str:
    """Name of the reference audio."""
    return f"{voice(uuid)}/clip.flac"


def voice_aux(uuid: UUID, number: int) -> str:
    """Name of an auxiliary reference audio, counted from 1."""
    return f"{voice(uuid)}/aux-{number}.flac"


def voice_prompts(uuid: UUID) -> str:
    """Prefix of what engines have computed from a voice."""
    return f"{voice(uuid)}/prompts"


def voice_prompt(uuid: UUID, fingerprint: str, revision: str, sha256: str) -> str:
    """Name of what one model computed from one revision of a voice, with its checksum."""
    return f"{voice_prompts(uuid)}/{prompt_key(fingerprint, revision)}-{sha256}.safetensors"


def prompt_key(fingerprint: str, revision: str) -> str:
    """What a prompt's name begins with."""
    return digest({"model": fingerprint, "voice": revision})[:32]

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


#: Prefix of all jobs.
JOBS = "jobs"
#: Prefix of the jobs that have not ended.
ACTIVE = "active"
#: Prefix of the list of jobs, newest first.
INDEX = "index"
#: What seconds are subtracted from, so that later ones come first.
_FAR_S = 9_999_999_999


def job(job_id: str) -> str:
    """Prefix of everything that belongs to a job."""
    return f"{JOBS}/{job_id}"


def round_result(job_id: str, number: int) -> str:
    """Name of the decision of a round: 0 is the first, others are retries."""
    return result(job_id) if number == 0 else f"{job(job_id)}/result.{number}.json"


def retry(job_id: str, number: int) -> str:
    """Name of what a retry asks for."""
    return f"{job(job_id)}/round.{number}.json"


def webhook(job_id: str, number: int) -> str:
    """Name of how telling of a round's end went."""
    return f"{job(job_id)}/webhook.{number}.json"


def cover(job_id: str) -> str:
    """Name of a job's cover picture."""
    return f"{job(job_id)}/cover"


def shard(job_id: str, shard_id: str) -> str:
    """Name of a shard's chunks."""
    return f"{job(job_id)}/shards/{shard_id}.json"


def split(job_id: str, shard_id: str) -> str:
    """Name of the note that a shard is worked at in halves."""
    return f"{job(job_id)}/split/{shard_id}"


def done(job_id: str, shard_id: str) -> str:
    """Name of a shard's receipt."""
    return f"{job(job_id)}/done/{shard_id}.json"


def failures(job_id: str, shard_id: str) -> str:
    """Prefix of what went wrong with a shard."""
    return f"{job(job_id)}/fail/{shard_id}"


def failure(job_id: str, shard_id: str, stage: str, number: int) -> str:
    """Name of what went wrong in an attempt at a shard."""
    return f"{failures(job_id, shard_id)}/{stage}-{number}.json"


def active(ref: str) -> str:
    """Name of the note that a job has not ended; `ref` names it among all tenants'."""
    return f"{ACTIVE}/{ref}"


def indexed(job_id: str, created_s: int) -> str:
    """Name of a job in the list of jobs."""
    return f"{INDEX}/{_FAR_S - created_s:010d}-{job_id}"


def tenant(name: str) -> str:
    """Prefix of a tenant's tree."""
    return f"tenants/{name}"


#: Prefix of all voices.
VOICES = "voices"
#: Prefix of the turns to change voices, where no lock of an operating system can tell.
VOICES_TURN = "voices.turn"


def voices_turn(number: int) -> str:
    """Name of a turn to change voices, counted from 1."""
    return f"{VOICES_TURN}/{number:08d}"


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

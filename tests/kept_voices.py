"""Voices made without a recording, and kept: the registry does not listen."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import uuid4

import numpy as np

from pipeline.audio.clip import Clip, encode_flac
from pipeline.manifest.voice import Origin, Voice
from pipeline.store.protocol import ObjectStore
from pipeline.voices import consent, registry

ORIGIN = Origin(start_s=1.0, end_s=6.0, snr_db=40.0, quality=None, heard="The lamp was lit.")


def audio(seed: int) -> bytes:
    """Return a second of noise, other noise for another seed."""
    noise = np.random.default_rng(seed).normal(0, 0.1, 32_000).astype(np.float32)
    return encode_flac(Clip(noise, 32_000))


def keep(store: ObjectStore, name: str = "Ann", n_aux: int = 0, seed: int = 0) -> Voice:
    """Save a voice of that name, with so many auxiliary clips."""
    clip, *aux = (audio(seed + number) for number in range(n_aux + 1))
    voice = Voice(
        uuid=uuid4(),
        name=name,
        language="en",
        text="The lamp was lit.",
        consent=consent.given("Ann Lee, agreed to audiobooks in her voice"),
        created=date(2026, 1, 2),
        clip_sha256=hashlib.sha256(clip).hexdigest(),
        aux_sha256=tuple(hashlib.sha256(data).hexdigest() for data in aux),
        origin=ORIGIN,
    )
    return registry.save(voice, clip, aux, store)

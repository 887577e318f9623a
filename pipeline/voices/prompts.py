"""What engines compute once from a voice: kept beside it, per model and per revision."""

from __future__ import annotations

import hashlib
import logging

from pipeline import names
from pipeline.errors import RequestError
from pipeline.manifest.voice import Voice
from pipeline.store.protocol import ObjectStore
from pipeline.voices import turn

log = logging.getLogger(__name__)


def load_prompt(voice: Voice, fingerprint: str, store: ObjectStore) -> bytes | None:
    """Return what this model computed from this revision of the voice; None if it has not.

    Args:
        voice: The voice.
        fingerprint: What identifies the model, its precision and device included where they
            change the result.
        store: Where voices are.
    """
    for name in _names(voice, fingerprint, store):
        data = store.get(name)
        if data is None:
            continue  # removed by another process just now
        if name == _name(voice, fingerprint, data):
            return data
        log.warning("%s is damaged: it is computed again", store.place(name))
        store.delete(name)
    return None


def store_prompt(voice: Voice, fingerprint: str, data: bytes, store: ObjectStore) -> None:
    """Keep what a model computed, for all processes; the first to store it wins.

    Raises:
        RequestError: The voice was removed meanwhile; nothing of it may be kept.
    """
    with turn.taken(store):
        if not store.exists(names.voice_record(voice.uuid)):
            raise RequestError(f"The voice {voice.name!r} has been removed.")
        if load_prompt(voice, fingerprint, store) is None:
            store.put(_name(voice, fingerprint, data), data)


def _name(voice: Voice, fingerprint: str, data: bytes) -> str:
    checksum = hashlib.sha256(data).hexdigest()
    return names.voice_prompt(voice.uuid, fingerprint, voice.revision, checksum)


def _names(voice: Voice, fingerprint: str, store: ObjectStore) -> list[str]:
    begin = f"{names.voice_prompts(voice.uuid)}/{names.prompt_key(fingerprint, voice.revision)}-"
    found = store.names(names.voice_prompts(voice.uuid))
    return [name for name in found if name.startswith(begin)]

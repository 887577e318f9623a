"""The voices of a store: add, find, rename, remove."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from pipeline import names
from pipeline.audio.clip import Clip, decode, encode_flac
from pipeline.errors import CorruptObjectError, RequestError
from pipeline.manifest.voice import Consent, Voice
from pipeline.models.whisper import Whisper
from pipeline.settings import Settings
from pipeline.store import opening
from pipeline.store.local import LocalStore
from pipeline.store.protocol import ObjectStore
from pipeline.voices import naming, reference, turn

log = logging.getLogger(__name__)


def open_store(settings: Settings) -> ObjectStore:
    """Return the store of voices: one that all machines share, else this machine's."""
    if settings.voices_url:
        return opening.open_store(settings.voices_url, settings)
    return LocalStore(settings.voices_dir, elsewhere="with VOXMILL_VOICES_DIR")


def add(
    name: str,
    audio: Path,
    *,
    language: str,
    consent: Consent,
    store: ObjectStore,
    whisper: Whisper,
    text: str | None = None,
    aux: Sequence[Path] = (),
    fine_tune: tuple[str | None, str | None] = (None, None),
    reserved: Collection[str] = (),
) -> Voice:
    """Make a voice from a recording.

    Args:
        name: What it is called.
        audio: About a minute of one person's clean speech, in any format.
        language: The language spoken in it: zh, en, ja, ko or yue.
        consent: Who agreed to what.
        store: Where voices are.
        whisper: Checks the text, or writes it.
        text: What is said in the recording.
        aux: More recordings of the same person, for the timbre only.
        fine_tune: Its own checkpoints of the GPT and the SoVITS stage, by path or name.
        reserved: Names of voices that are not in the store.

    Raises:
        RequestError: The name is taken or no name.
        InputError: A recording cannot be used, or the text is not what is said.
    """
    naming.checked(name, [*reserved, *_taken(store)])
    chosen = reference.prepare(audio, text, language, whisper)
    audios = [chosen.clip, *(reference.prepare_aux(path) for path in aux)]
    clip, *others = [encode_flac(each) for each in audios]
    voice = Voice(
        uuid=uuid4(),
        name=name,
        language=reference.require_language(audio, language),
        text=chosen.text,
        consent=consent,
        created=datetime.now(tz=UTC).date(),
        clip_sha256=_sha256(clip),
        aux_sha256=tuple(map(_sha256, others)),
        origin=chosen.origin,
        s1=fine_tune[0],
        s2=fine_tune[1],
    )
    return save(voice, clip, others, store, reserved)


def save(
    voice: Voice,
    clip: bytes,
    aux: Sequence[bytes],
    store: ObjectStore,
    reserved: Collection[str] = (),
) -> Voice:
    """Write a voice; the record comes last, so that there is all of it or none.

    Raises:
        RequestError: The name is taken.
        BusyError: Others are changing voices.
    """
    with turn.taken(store) as require_turn:
        name = naming.checked(voice.name, [*reserved, *_taken(store)])
        voice = voice.model_copy(update={"name": name})
        store.put(names.voice_clip(voice.uuid), clip)
        for number, data in enumerate(aux, 1):
            store.put(names.voice_aux(voice.uuid, number), data)
        require_turn()
        store.put_new(names.voice_record(voice.uuid), voice.encode())
    return voice


def find(name_or_uuid: str, store: ObjectStore) -> Voice:
    """Return a voice by its name, in large or small letters, or by its UUID.

    Raises:
        RequestError: There is none; names those there are.
        CorruptObjectError: Its record is damaged or holds no consent.
    """
    uuid = naming.as_uuid(name_or_uuid)
    if uuid and (called := _read(uuid, store)):
        return called
    voices = all_voices(store)
    for voice in voices:
        if naming.key(voice.name) == naming.key(name_or_uuid):
            return voice
    known = ", ".join(voice.name for voice in voices) or "none yet; see `voxmill voices add --help`"
    raise RequestError(f"No cloned voice {name_or_uuid!r}. There are: {known}.")


def read(uuid: UUID, store: ObjectStore) -> Voice | None:
    """Return a voice by its UUID, or None when there is none.

    Raises:
        CorruptObjectError: Its record is damaged or holds no consent.
    """
    return _read(uuid, store) if store.exists(names.voice_record(uuid)) else None


def all_voices(store: ObjectStore) -> list[Voice]:
    """Return every voice, by name; one whose record cannot be used is reported and left out."""
    voices = []
    for uuid in turn.folders(store):
        try:
            voices.append(_read(uuid, store))
        except CorruptObjectError as error:
            log.warning("%s", error)
    return sorted(filter(None, voices), key=lambda voice: naming.key(voice.name))


def rename(
    name_or_uuid: str, new_name: str, store: ObjectStore, reserved: Collection[str] = ()
) -> Voice:
    """Give a voice another name; its UUID and its sound stay.

    Raises:
        RequestError: There is no such voice, or the new name is taken.
    """
    with turn.taken(store) as require_turn:
        voice = find(name_or_uuid, store)
        others = [other.name for other in all_voices(store) if other.uuid != voice.uuid]
        name = naming.checked(new_name, [*reserved, *others])
        renamed = voice.model_copy(update={"name": name})
        require_turn()
        store.put(names.voice_record(voice.uuid), renamed.encode())
    return renamed


def remove(name_or_uuid: str, store: ObjectStore) -> UUID:
    """Remove a voice: its record first, so that nobody speaks with it any more, then all audio.

    A voice whose record is damaged goes too, by its UUID.

    Raises:
        RequestError: There is no such voice.
    """
    with turn.taken(store):
        uuid = naming.as_uuid(name_or_uuid)
        if uuid is None or not store.exists(names.voice_record(uuid)):
            uuid = find(name_or_uuid, store).uuid
        store.delete(names.voice_record(uuid))
        store.delete_all(names.voice(uuid))
    return uuid


def clip(voice: Voice, store: ObjectStore) -> Clip:
    """Return the reference audio.

    Raises:
        CorruptObjectError: It is not there, or not the bytes that were stored.
    """
    return decode(audio_bytes(voice, store)[0])


def aux_clips(voice: Voice, store: ObjectStore) -> tuple[Clip, ...]:
    """Return the auxiliary reference audios.

    Raises:
        CorruptObjectError: One is not there, or not the bytes that were stored.
    """
    return tuple(map(decode, audio_bytes(voice, store)[1:]))


def audio_bytes(voice: Voice, store: ObjectStore) -> tuple[bytes, ...]:
    """Return the files of a voice, the clip first, as its record says they are.

    Raises:
        CorruptObjectError: One is not there, or not the bytes that were stored.
    """
    numbered = enumerate(voice.aux_sha256, 1)
    wanted = [(names.voice_clip(voice.uuid), voice.clip_sha256)]
    wanted += [(names.voice_aux(voice.uuid, number), sha256) for number, sha256 in numbered]
    return tuple(_intact(name, sha256, voice, store) for name, sha256 in wanted)


def _intact(name: str, sha256: str, voice: Voice, store: ObjectStore) -> bytes:
    data = store.get(name)
    if data is None or _sha256(data) != sha256:
        raise CorruptObjectError(
            f"{store.place(name)}: {'missing' if data is None else 'damaged'}. Remove the voice "
            f"with: voxmill voices remove {voice.name}, and add or import it again."
        )
    return data


def _read(uuid: UUID, store: ObjectStore) -> Voice | None:
    data = store.get(names.voice_record(uuid))
    if data is None:
        return None
    try:
        return Voice.decode(data)
    except CorruptObjectError as error:
        raise CorruptObjectError(
            f"{store.place(names.voice_record(uuid))}: {str(error).partition(' Delete')[0]} Nobody "
            "may speak with a voice whose record, consent included, cannot be read. Remove it "
            f"with: voxmill voices remove {uuid}"
        ) from error


def _taken(store: ObjectStore) -> list[str]:
    return [voice.name for voice in all_voices(store)]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

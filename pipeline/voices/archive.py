"""A voice as one zip file: the record with its consent, and the audio, checked on the way in."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn

from pipeline import names
from pipeline.audio.clip import decode
from pipeline.errors import CorruptObjectError, InputError, RequestError
from pipeline.manifest.voice import Voice
from pipeline.store.local import explain
from pipeline.store.protocol import ObjectStore
from pipeline.voices import registry

RECORD, CLIP = "voice.json", "clip.flac"
#: No file of a voice comes near this.
MAX_BYTES = 16 << 20
#: The same voice always gives the same bytes.
TIME = (1980, 1, 1, 0, 0, 0)

EXPORT_AGAIN = "Export the voice again, with: voxmill voices export."


def export(voice: Voice, path: Path, store: ObjectStore) -> None:
    """Write a voice into a zip file; what engines computed from it stays here.

    Raises:
        CorruptObjectError: Its audio is damaged.
        StorageError: The file cannot be written.
    """
    clip, *aux = registry.audio_bytes(voice, store)
    files = {RECORD: voice.encode(), CLIP: clip}
    files |= {_aux(number): data for number, data in enumerate(aux, 1)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, TIME), data)
    _write(path, buffer.getvalue())


def import_voice(
    path: Path,
    store: ObjectStore,
    *,
    name: str | None = None,
    reserved: frozenset[str] = frozenset(),
) -> Voice:
    """Take over a voice that was exported, under its UUID; one that is here already stays.

    Args:
        path: The zip file.
        store: Where voices are.
        name: Another name than its own.
        reserved: Names of voices that are not in the store.

    Raises:
        InputError: It is no exported voice, is damaged, or holds no consent.
        RequestError: The name is taken, or another voice has its UUID.
    """
    voice, clip, aux = _read(path)
    if store.exists(names.voice_record(voice.uuid)):
        return _same(registry.find(str(voice.uuid), store), voice)
    if name is not None:
        voice = voice.model_copy(update={"name": name})
    return registry.save(voice, clip, aux, store, reserved)


def _same(mine: Voice, theirs: Voice) -> Voice:
    if mine.model_copy(update={"name": theirs.name}) != theirs:
        raise RequestError(
            f"Another voice with the UUID {mine.uuid} is here, called {mine.name!r}. Remove it "
            f"first, with: voxmill voices remove {mine.name}"
        )
    return mine


def _read(path: Path) -> tuple[Voice, bytes, list[bytes]]:
    """Return the record and the audio of an exported voice, all of it checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            voice = _record(path, _bytes(path, archive, RECORD, entries))
            expected = [RECORD, CLIP, *(_aux(n) for n in range(1, len(voice.aux_sha256) + 1))]
            if sorted(entry.filename for entry in archive.infolist()) != sorted(expected):
                _refuse(path, "it holds other files than an exported voice does.")
            clip, *aux = [_bytes(path, archive, name, entries) for name in expected[1:]]
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(path, f"cannot be read: {reason}.", remedy="Check the path.") from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        remedy = "Give a file that `voxmill voices export` wrote."
        raise InputError(path, f"not an exported voice ({error}).", remedy=remedy) from error
    _require_intact(path, voice, [clip, *aux])
    return voice, clip, aux


def _bytes(
    path: Path, archive: zipfile.ZipFile, name: str, entries: dict[str, zipfile.ZipInfo]
) -> bytes:
    if name not in entries:
        _refuse(path, f"{name} is missing in it.")
    with archive.open(entries[name]) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        _refuse(path, f"{name} is larger than any voice's.")
    return data


def _record(path: Path, data: bytes) -> Voice:
    try:
        return Voice.decode(data)
    except CorruptObjectError as error:
        problem = f"its record, which must hold the owner's consent, cannot be used: {error}"
        raise InputError(
            path, problem.partition(" Delete")[0], remedy=EXPORT_AGAIN, place=RECORD
        ) from error


def _require_intact(path: Path, voice: Voice, audios: list[bytes]) -> None:
    for data, sha256 in zip(audios, [voice.clip_sha256, *voice.aux_sha256], strict=True):
        if hashlib.sha256(data).hexdigest() != sha256:
            _refuse(path, "its audio is damaged: the checksum is another one.")
        try:
            decode(data)
        except CorruptObjectError as error:
            _refuse(path, f"its audio cannot be decoded ({error}).")


def _refuse(path: Path, problem: str) -> NoReturn:
    raise InputError(path, problem, remedy=EXPORT_AGAIN)


def _aux(number: int) -> str:
    return f"aux-{number}.flac"


def _write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise explain(error, path.parent, "for the file") from error

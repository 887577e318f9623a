"""The outer layer of a checkpoint: a PyTorch archive, opened without running anything in it.

GPT-SoVITS stores what `torch.save` writes, a zip file. Newer versions write a two-digit version
tag over the zip signature's first two bytes (upstream: process_ckpt.py), so that nothing else
opens the file; the signature is put back while reading, without a copy on disk.

Only tensors and plain data are unpickled, and one class: the holder of settings, which upstream
pickles by the name `utils.HParams`. Ours, which has no behaviour, takes its place.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import torch

from pipeline.engines.gpt_sovits.checkpoint.identify import TRAINING_STATE
from pipeline.errors import ModelError

SIGNATURE = b"PK\x03\x04"
#: What `torch.save` wrote before it wrote zip files.
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
#: Written over the first two bytes of the signature: 00 v1, 01 v2, 02 v3, 03 v3 LoRA, 04 v4 LoRA,
#: 05 v2Pro, 06 v2ProPlus.
TAGS = frozenset({b"00", b"01", b"02", b"03", b"04", b"05", b"06"})

#: What a repository cloned without its large files holds in their place.
LFS_POINTER = b"version https://git-lfs"

#: What people's files turn out to be, by how they begin.
_STRANGERS = (
    (re.compile(re.escape(LFS_POINTER)), "a Git LFS pointer: the name of the file, not it"),
    (re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE), "a web page"),
    (re.compile(rb'\s*{\s*["}]'), "a JSON text, perhaps a server's answer"),
    (re.compile(rb".{7}\x00{", re.DOTALL), "a safetensors file"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!|\x1f\x8b"), "a packed archive; unpack it first"),
)
_EXPECTED = "Expected a checkpoint that GPT-SoVITS saved (.ckpt or .pth)."
_AGAIN = "Fetch it again."
#: In the states of GPT training, which also hold classes that are not opened here.
_LIGHTNING = b"pytorch-lightning_version"


class HParams:
    """Settings as attributes: what upstream's class of that name holds, and nothing it does."""


# PyTorch looks classes up by the name under which they were pickled.
HParams.__module__ = "utils"


def load(path: Path) -> object:
    """Return what the file holds: plain data, tensors and `HParams`.

    Tensors of untagged files are mapped, not read: they take memory when they are used.

    Raises:
        ModelError: It is not a checkpoint, is cut short, or would run code.
    """
    try:
        head = _head(path)
        if head.startswith(LEGACY):
            return _unpickle(path, path, mmap=False)
        if head[2:4] != SIGNATURE[2:] or not (head[:2] in TAGS or head[:2] == b"PK"):
            raise ModelError(f"{path}: {_seems(head)} {_EXPECTED}")
        with closing(_Signed.open(path)) as file:
            _check_archive(path, file)
            file.seek(0)
            is_tagged = head[:2] != b"PK"
            return _unpickle(path, file if is_tagged else path, mmap=not is_tagged)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _head(path: Path) -> bytes:
    if not path.exists():
        raise ModelError(f"{path}: there is no such file. {_EXPECTED}")
    if path.is_dir():
        raise ModelError(f"{path}: this is a folder. {_EXPECTED}")
    with path.open("rb") as file:
        return file.read(512)


def _seems(head: bytes) -> str:
    if not head:
        return f"the file is empty. {_AGAIN}"
    for pattern, kind in _STRANGERS:
        if pattern.match(head):
            return f"this is {kind}."
    if head[2:4] == SIGNATURE[2:]:
        return f"it has the version tag {head[:2]!r}, which is not known yet."
    return "this is not a PyTorch checkpoint."


class _Signed(io.RawIOBase):
    """A file whose first two bytes read as those of a zip file, whatever they are."""

    @classmethod
    def open(cls, path: Path) -> BinaryIO:
        """Open it for buffered reading."""
        return io.BufferedReader(cls(path))

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        start = self._file.tell()
        size = self._file.readinto(buffer)
        for at in range(start, min(start + size, 2)):
            buffer[at - start] = SIGNATURE[at]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_archive(path: Path, file: BinaryIO) -> None:
    """Refuse an archive that is cut short, packed or somebody else's."""
    try:
        with zipfile.ZipFile(file) as archive:
            problem = _problem(archive)
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError) as error:
        raise ModelError(f"{path}: the file is cut short or damaged. {_AGAIN}") from error
    if problem:
        raise ModelError(f"{path}: this is {problem} {_EXPECTED}")


def _problem(archive: zipfile.ZipFile) -> str | None:
    members = {member.filename.partition("/")[2]: member for member in archive.infolist()}
    if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
        return "a packed archive."
    if "data.pkl" not in members:
        return f"a zip archive with {', '.join(archive.namelist()[:3]) or 'nothing in it'}."
    if "constants.pkl" in members:
        return "a TorchScript program."
    if _LIGHTNING in archive.read(members["data.pkl"]):
        return TRAINING_STATE.format("GPT")
    return None


def _unpickle(path: Path, file: Path | BinaryIO, *, mmap: bool) -> object:
    try:
        with torch.serialization.safe_globals([HParams]):
            return torch.load(file, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        raise ModelError(f"{path}: {_refusal(str(error))}") from error
    except OSError:
        raise
    except Exception as error:  # a damaged or hostile file can fail in any way
        reason = str(error).strip().split("\n")[0]
        raise ModelError(f"{path}: damaged, it cannot be read ({reason}). {_AGAIN}") from error


def _refusal(complaint: str) -> str:
    wanted = re.search(r"GLOBAL (\S+)|[Tt]rying to load unsupported GLOBAL (\S+)", complaint)
    if not wanted:
        return f"damaged, or not made of plain data. {_AGAIN}"
    return (
        f"it wants {wanted[1] or wanted[2]} to be run when it is opened; a checkpoint holds only "
        f"weights and settings. Nothing was run. Do not use this file. {_EXPECTED}"
    )

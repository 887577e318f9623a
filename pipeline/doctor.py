"""What this machine has, what it lacks, and what to do about it."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.audio import ffmpeg
from pipeline.engines import catalogue
from pipeline.errors import VoxmillError
from pipeline.models import gpt_sovits, resolve
from pipeline.settings import Settings
from pipeline.voices import registry

#: Encoders of the formats that can be delivered.
ENCODERS = ("aac", "flac", "libmp3lame", "libopus")

#: A render stays below this; the machine needs a little more.
ENOUGH_MEMORY_GB = 2.0

#: The model, and a book in pieces.
ENOUGH_DISK_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    is_ok: bool
    #: What was found, in one line.
    detail: str
    #: What to do when it is not well.
    remedy: str = ""
    #: Whether a render fails without it.
    is_needed: bool = True


@dataclass(frozen=True, slots=True)
class Package:
    """A package that a render needs."""

    name: str
    distribution: str
    module: str
    #: Uses the module, and tells what came of it.
    try_out: Callable[[Any], str]


def _speak(hibari: Any) -> str:
    n_samples = len(hibari.Hibari(threads=1)("Ready.", seed=1))
    return f"speaks ({n_samples / hibari.SAMPLE_RATE:.1f} s for one word)"


PACKAGES = (
    Package(
        "pandoc",
        "pypandoc-binary",
        "pypandoc",
        lambda pypandoc: f"with pandoc {pypandoc.get_pandoc_version()}",
    ),
    Package("voice", "hibari-tts", "hibari", _speak),
    Package("checker", "ctranslate2", "ctranslate2", lambda _: ""),
    Package("aligner", "pocketsphinx", "pocketsphinx", lambda _: ""),
)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything a render needs, one finding at a time."""
    yield python()
    yield ffmpeg_program()
    for package in PACKAGES:
        yield installed(package)
    yield whisper_model(settings)
    yield models_folder(settings)
    yield cloning(settings)
    yield cores()
    yield memory()
    yield disk(settings)
    yield terminal(sys.stdout.encoding or "")


def python() -> Finding:
    """Is Python recent enough?"""
    return Finding(
        "python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()} at {sys.executable}",
        "Install Python 3.11 or newer.",
    )


def ffmpeg_program() -> Finding:
    """Is there an ffmpeg that can write every format?"""
    remedy = "Install it: apt-get install ffmpeg, or pip install imageio-ffmpeg."
    try:
        version = _output(ffmpeg.path(), "-version").split(maxsplit=3)[2]
        lacking = _lacking(_output(ffmpeg.path(), "-hide_banner", "-encoders"))
    except (VoxmillError, OSError, IndexError, subprocess.SubprocessError) as error:
        return Finding("ffmpeg", False, str(error), remedy)
    told = f"lacks {', '.join(lacking)}" if lacking else f"with {', '.join(ENCODERS)}"
    return Finding("ffmpeg", not lacking, f"{version} at {ffmpeg.path()}, {told}", remedy)


def installed(package: Package) -> Finding:
    """Is the package there, and does it work?"""
    remedy = f"pip install --force-reinstall {package.distribution}"
    try:
        told = package.try_out(importlib.import_module(package.module))
        version = metadata.version(package.distribution)
    except Exception as error:  # whatever a broken package raises is the finding
        return Finding(package.name, False, f"{type(error).__name__}: {error}", remedy)
    return Finding(package.name, True, f"{package.distribution} {version} {told}".rstrip(), remedy)


def whisper_model(settings: Settings) -> Finding:
    """Is the checking model here, whole?"""
    remedy = "Get it with: voxmill models pull whisper-base"
    try:
        folder = resolve.find("whisper-base", settings)
    except VoxmillError as error:
        return Finding("whisper-base", False, str(error))
    return Finding("whisper-base", folder is not None, str(folder or "missing"), remedy)


def models_folder(settings: Settings) -> Finding:
    """Can models be kept?"""
    folder = settings.models_dir.expanduser()
    remedy = "Make it writable, or set VOXMILL_MODELS_DIR."
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            pass
    except OSError as error:
        return Finding("model folder", False, f"{folder}: {error.strerror}", remedy, False)
    return Finding("model folder", True, f"{folder}, writable", remedy, False)


def cloning(settings: Settings) -> Finding:
    """Can cloned voices speak?"""
    if missing := catalogue.missing_packages(catalogue.CLONING):
        remedy = f"For cloned voices: pip install 'voxmill[{catalogue.CLONING}]'"
        return Finding("cloning", False, f"without {', '.join(missing)}", remedy, is_needed=False)
    folder = settings.gpt_sovits_folder
    versions, voices = (
        gpt_sovits.installed(folder),
        registry.all_voices(registry.open_store(settings)),
    )
    told = f"models {', '.join(versions) or 'none'} in {folder}; {len(voices)} cloned voices"
    remedy = "For cloned voices: voxmill models pull gpt-sovits-v2, and see `voxmill voices add`."
    return Finding("cloning", bool(versions), told, remedy, is_needed=False)


def cores() -> Finding:
    """How many cores may be used?"""
    return Finding("cores", True, str(os.cpu_count()), is_needed=False)


def memory() -> Finding:
    """Is there enough memory?"""
    total_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    remedy = f"Below {ENOUGH_MEMORY_GB:.0f} GB a render may be stopped: use VOXMILL_JOBS=1."
    is_ok = total_gb >= ENOUGH_MEMORY_GB
    return Finding("memory", is_ok, f"{total_gb:.1f} GB", remedy, is_needed=False)


def disk(settings: Settings) -> Finding:
    """Is there room for models and audio?"""
    places = {"here": Path.cwd(), "in the model folder": _existing(settings.models_dir)}
    free_gb = {name: shutil.disk_usage(path).free / 1e9 for name, path in places.items()}
    told = ", ".join(f"{gb:.1f} GB free {name}" for name, gb in free_gb.items())
    is_ok = min(free_gb.values()) >= ENOUGH_DISK_GB
    return Finding("disk", is_ok, told, "Free some space.", is_needed=False)


def terminal(encoding: str) -> Finding:
    """Can every letter be shown?"""
    is_ok = encoding.lower().replace("-", "") == "utf8"
    remedy = "Set PYTHONUTF8=1 or a UTF-8 locale, such as LANG=C.UTF-8."
    return Finding("terminal", is_ok, encoding or "unknown encoding", remedy, is_needed=False)


def _output(*command: str) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=20, stdin=subprocess.DEVNULL
    ).stdout


def _lacking(listing: str) -> list[str]:
    """Return the encoders that ffmpeg's list does not have."""
    known = set(re.findall(r"^ [A-Z.]{6} (\S+)", listing, re.MULTILINE))
    return [encoder for encoder in ENCODERS if encoder not in known]


def _existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that is there."""
    folder = folder.expanduser().absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())

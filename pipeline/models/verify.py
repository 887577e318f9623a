"""Is a model folder what the catalogue pins, or what was recorded when it first came?

Hashing 145 MB takes most of a second, so an intact file is remembered by size and time of change
in `.verified.json` beside it. `verify` never trusts that note; start-up does.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.models import catalogue, gpt_sovits, records
from pipeline.models.catalogue_gpt_sovits import FOLDER
from pipeline.models.files import sha256, write_json
from pipeline.models.sources import Model, ModelFile
from pipeline.settings import Settings

#: Remembers which files were found intact.
STAMPS = ".verified.json"


class State(StrEnum):
    """How a file, or a whole model, was found."""

    INTACT = "intact"
    MISSING = "missing"
    DAMAGED = "damaged"
    #: It is here, but nothing is known to compare it with.
    UNVERIFIED = "unverified"


_WORST_FIRST = (State.MISSING, State.DAMAGED, State.UNVERIFIED, State.INTACT)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found of one model."""

    model: str
    #: Where it lies, or would lie.
    folder: Path
    #: The edition's files, by name.
    files: dict[str, State] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The worst state of any file; one that is not there counts as the worst."""
        found = set(self.files.values())
        return next(state for state in _WORST_FIRST if state in found)

    @property
    def damaged(self) -> tuple[Path, ...]:
        """The files whose bytes are not the pinned ones."""
        return tuple(
            self.folder / name for name, state in self.files.items() if state is State.DAMAGED
        )


def given_path(model: Model, settings: Settings) -> Path | None:
    """Return the folder that the settings name for this model, if they do."""
    path = getattr(settings, model.path_setting) if model.path_setting else None
    return Path(path).expanduser() if path else None


def home(model: Model, settings: Settings) -> Path:
    """Return the model's place in the model folder."""
    if model.shared_folder == FOLDER:
        return gpt_sovits.tree(settings.gpt_sovits_folder)
    return settings.models_dir.expanduser() / model.name


def verify(name: str, settings: Settings) -> Inspection:
    """Hash every file of the model where this machine has it.

    Raises:
        RequestError: There is no such model.
    """
    model = catalogue.get(name)
    folder = given_path(model, settings) or home(model, settings)
    return inspect(model, folder, trust_stamps=False)


def inspect(model: Model, folder: Path, *, trust_stamps: bool = True) -> Inspection:
    """Compare the folder with each edition of the model; return the one that fits best."""
    hashes = _Hashes(folder, trust_stamps=trust_stamps)
    found = [
        Inspection(model.name, folder, {pin.name: hashes.state(pin) for pin in edition})
        for edition in model.editions
    ]
    hashes.remember()
    return min(found, key=_misfit)


def explain_damage(inspection: Inspection) -> ModelError:
    """Return the error that names the damaged files and the remedy."""
    names = ", ".join(map(str, inspection.damaged))
    return ModelError(
        f"{names}: damaged, not the bytes of the model {inspection.model!r}. "
        f"Repair it with: voxmill models pull {inspection.model}"
    )


def _misfit(inspection: Inspection) -> tuple[bool, int]:
    """Order inspections: a complete edition before an incomplete one, then by bad files."""
    states = list(inspection.files.values())
    return State.MISSING in states, len(states) - states.count(State.INTACT)


class _Hashes:
    """Hashes of the files in one folder, each computed at most once."""

    def __init__(self, folder: Path, *, trust_stamps: bool) -> None:
        self._folder = folder
        self._before = _read_stamps(folder)
        self._known = dict(self._before) if trust_stamps else {}
        self._records = records.read(folder)

    def state(self, pin: ModelFile) -> State:
        """Compare the file with its pin; a file that cannot be read is as good as missing."""
        path = self._folder / pin.name
        if not pin.sha256:
            pin = self._records.get(pin.name, pin)
        try:
            stat = path.stat()
            if pin.size_bytes not in (0, stat.st_size):
                return State.DAMAGED
            if not pin.sha256:
                return State.UNVERIFIED
            mark = f"{stat.st_size} {stat.st_mtime_ns}"
            if self._known.get(pin.name, ("", ""))[0] != mark:
                self._known[pin.name] = mark, sha256(path)
        except OSError:
            return State.MISSING
        return State.INTACT if self._known[pin.name][1] == pin.sha256 else State.DAMAGED

    def remember(self) -> None:
        """Keep the hashes; a folder that cannot be written is simply hashed again next time."""
        # Other models may share the folder: what is known of their files stays.
        known = self._before | self._known
        if known == self._before:
            return
        with suppress(OSError):
            write_json(self._folder / STAMPS, known)


def _read_stamps(folder: Path) -> dict[str, tuple[str, str]]:
    try:
        stamps = json.loads((folder / STAMPS).read_text(encoding="utf-8"))
        return {name: (mark, digest) for name, (mark, digest) in stamps.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}

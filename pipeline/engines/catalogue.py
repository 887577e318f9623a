"""Which engines there are, by name; what an engine needs is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module, util
from types import MappingProxyType
from typing import cast

from pipeline.engines.protocol import Engine
from pipeline.errors import MissingToolError, RequestError
from pipeline.settings import Settings

#: Engine → its module and class.
ENGINES = {
    "hibari": ("pipeline.engines.hibari", "HibariEngine"),
    "gpt-sovits": ("pipeline.engines.cloning", "CloningEngine"),
    "silent": ("pipeline.engines.silent", "SilentEngine"),
}
#: The engine of cloned voices, and what it needs besides the light installation.
CLONING = "gpt-sovits"
EXTRA = ("torch", "transformers", "safetensors", "jieba", "pypinyin")

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


def load(name: str, settings: Settings, options: Mapping[str, str] = _NO_OPTIONS) -> Engine:
    """Return the engine of that name; its models are loaded when it first speaks.

    Args:
        name: Of the engine.
        settings: Of this machine.
        options: The engine's own parameters.

    Raises:
        RequestError: There is no such engine, or an option does not fit it.
        MissingToolError: Packages that the engine needs are not installed.
    """
    known = {**{name: tuple(path.split(":")) for name, path in settings.engines.items()}, **ENGINES}
    if name not in known:
        raise RequestError(f"No engine {name!r}. Choose one of: {', '.join(known)}.")
    if missing := missing_packages(name):
        raise MissingToolError(
            f"The engine {name!r} needs {', '.join(missing)}. "
            f"Install with: pip install 'voxmill[{CLONING}]'"
        )
    return cast(Engine, _class(name, known[name])(settings, options))


def _class(name: str, place: tuple[str, ...]) -> Callable[..., object]:
    """Return an engine's class.

    Raises:
        RequestError: A setting names something that is not there.
    """
    try:
        module, class_name = place
        found: Callable[..., object] = getattr(import_module(module), class_name)
    except (ValueError, ImportError, AttributeError) as error:
        raise RequestError(
            f"The engine {name!r} of VOXMILL_ENGINES cannot be loaded: {error}. "
            "Give it as package.module:Class."
        ) from error
    return found


def missing_packages(name: str) -> tuple[str, ...]:
    """Return the packages that an engine needs and that are not installed."""
    needed = EXTRA if name == CLONING else ()
    return tuple(package for package in needed if util.find_spec(package) is None)

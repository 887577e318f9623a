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
    "hibari": "pipeline.engines.hibari:HibariEngine",
    "gpt-sovits": "pipeline.engines.cloning:CloningEngine",
    "silent": "pipeline.engines.silent:SilentEngine",
}
#: The engine of cloned voices, and what it needs besides the light installation.
CLONING = "gpt-sovits"
EXTRA = ("torch", "transformers", "safetensors", "jieba", "pypinyin")

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


def load(name: str, settings: Settings, options: Mapping[str, str] = _NO_OPTIONS) -> Engine:
    """Return the engine of that name; its models are loaded when it first speaks.

    Args:
        name: Of the engine.
        settings: Of this machine; may name further engines.
        options: The engine's own parameters.

    Raises:
        RequestError: There is no such engine, it cannot be loaded, or an option does not fit it.
        MissingToolError: Packages that the engine needs are not installed.
    """
    places = known(settings)
    if name not in places:
        raise RequestError(f"No engine {name!r}. Choose one of: {', '.join(places)}.")
    if missing := missing_packages(name):
        raise MissingToolError(
            f"The engine {name!r} needs {', '.join(missing)}. "
            f"Install with: pip install 'voxmill[{CLONING}]'"
        )
    engine = _class(name, places[name])(settings, options)
    if engine.name != name:
        raise _refused(name, f"its name is {engine.name!r}; register it under that one")
    return engine


def known(settings: Settings) -> dict[str, str]:
    """Return every engine with its place, `module:Class`: ours, then those of the settings.

    Raises:
        RequestError: A setting gives one of ours another place.
    """
    for name in settings.engines.keys() & ENGINES.keys():
        raise _refused(name, "that name is one of Voxmill's own; choose another")
    return {**ENGINES, **settings.engines}


def missing_packages(name: str) -> tuple[str, ...]:
    """Return the packages that an engine needs and that are not installed."""
    needed = EXTRA if name == CLONING else ()
    return tuple(package for package in needed if util.find_spec(package) is None)


def _class(name: str, place: str) -> Callable[..., Engine]:
    module_name, _, class_name = place.partition(":")
    if not (module_name and class_name):
        raise _refused(name, f"{place!r} is not of the form package.module:Class")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise _refused(name, f"{error} (importing {module_name})") from error
    if not callable(found := getattr(module, class_name, None)):
        raise _refused(name, f"there is no class {class_name!r} in {module_name}")
    return cast("Callable[..., Engine]", found)


def _refused(name: str, problem: str) -> RequestError:
    return RequestError(f"The engine {name!r} of VOXMILL_ENGINES cannot be used: {problem}.")

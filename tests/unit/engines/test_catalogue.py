"""Engines by name, and what is said when one cannot be had."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest
from faulty import FaultyEngine

from pipeline.engines import catalogue
from pipeline.engines.cloning import CloningEngine
from pipeline.engines.hibari import HibariEngine
from pipeline.engines.silent import SilentEngine
from pipeline.errors import MissingToolError, RequestError
from pipeline.run.options import RenderOptions
from pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(voices_dir=tmp_path, models_dir=tmp_path, offline=True)


def without(monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """Let packages be as if they were not installed."""
    find = util.find_spec
    monkeypatch.setattr(
        util, "find_spec", lambda name, *more: None if name in absent else find(name, *more)
    )


def test_every_engine_is_had_by_its_name(settings: Settings) -> None:
    kinds = {"hibari": HibariEngine, "gpt-sovits": CloningEngine, "silent": SilentEngine}
    assert set(kinds) == set(catalogue.ENGINES)
    for name, kind in kinds.items():
        engine = catalogue.load(name, settings)
        assert isinstance(engine, kind)
        assert engine.name == name


def test_an_engine_that_does_not_exist_is_refused_with_those_that_do(settings: Settings) -> None:
    with pytest.raises(RequestError, match=r"No engine 'espeak'.*hibari, gpt-sovits, silent"):
        catalogue.load("espeak", settings)


@pytest.mark.parametrize("package", catalogue.EXTRA)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    package: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, package)
    assert catalogue.missing_packages("gpt-sovits") == (package,)
    with pytest.raises(MissingToolError) as refusal:
        catalogue.load("gpt-sovits", settings)
    assert f"needs {package}." in str(refusal.value)
    assert "pip install 'voxmill[gpt-sovits]'" in str(refusal.value)


def test_the_other_engine_needs_none_of_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, *catalogue.EXTRA)
    assert isinstance(catalogue.load("hibari", settings), HibariEngine)


def test_hibari_has_no_parameters(settings: Settings) -> None:
    with pytest.raises(RequestError, match=r"hibari has no parameter 'top_k'.*--param"):
        catalogue.load("hibari", settings, {"top_k": "5"})


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"topk": "5"}, "No parameter 'topk'.*top_k.*version, s1, s2"),
        ({"top_k": "five"}, "top_k is 'five', not a whole number"),
        ({"speed": "9"}, "speed is 9.0; it must be from 0.5 to 2.0"),
    ],
)
def test_a_parameter_of_the_cloning_engine_that_does_not_fit_is_named(
    option: dict[str, str], complaint: str, settings: Settings
) -> None:
    with pytest.raises(RequestError, match=f"gpt-sovits: {complaint}"):
        catalogue.load("gpt-sovits", settings, option)


def test_an_engine_of_the_settings_loads_like_ours_with_its_options(tmp_path: Path) -> None:
    settings = Settings(engines={"faulty": "faulty:FaultyEngine"})
    engine = catalogue.load("faulty", settings, {"folder": str(tmp_path), "batch": "3"})
    assert isinstance(engine, FaultyEngine)
    assert engine.capabilities.preferred_batch == 3
    with pytest.raises(RequestError, match=r"No engine 'espeak'.*silent, faulty"):
        catalogue.load("espeak", settings)


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("faulty", "'faulty' is not of the form package.module:Class"),
        (":FaultyEngine", "is not of the form"),
        ("nowhere.at.all:Engine", r"No module named 'nowhere' \(importing nowhere.at.all\)"),
        ("faulty:Engine", "there is no class 'Engine' in faulty"),
        ("faulty:CRASH", "there is no class 'CRASH' in faulty"),
        ("faulty:FaultyEngine", "its name is 'faulty'; register it under that one"),
    ],
)
def test_what_is_wrong_with_an_engine_of_the_settings_is_named(place: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=f"'mine' of VOXMILL_ENGINES.*: .*{complaint}"):
        catalogue.load("mine", Settings(engines={"mine": place}))


def test_none_of_our_engines_can_be_replaced() -> None:
    settings = Settings(engines={"hibari": "faulty:FaultyEngine"})
    with pytest.raises(RequestError, match=r"'hibari' of VOXMILL_ENGINES.*one of Voxmill's own"):
        catalogue.load("silent", settings)


def test_no_engine_that_only_hums_is_chosen_unasked() -> None:
    assert catalogue.load(RenderOptions().engine, Settings()).capabilities.speaks

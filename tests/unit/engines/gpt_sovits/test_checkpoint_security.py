"""A checkpoint may come from anywhere: opening one runs nothing."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.engines.gpt_sovits.checkpoint import archive
from pipeline.engines.gpt_sovits.checkpoint.container import read
from pipeline.errors import ModelError

#: Set by an attack that succeeds.
STRUCK: list[str] = []


@pytest.fixture(autouse=True)
def unharmed() -> Iterator[None]:
    """Fail when an attack succeeded."""
    STRUCK.clear()
    yield
    assert STRUCK == []


def container(pickled: bytes, path: Path, tag: bytes = b"PK") -> Path:
    """Write an archive as `torch.save` does, around a pickle that it would not write."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("model/data.pkl", pickled)
        file.writestr("model/byteorder", b"little")
        file.writestr("model/version", b"3\n")
    path.write_bytes(tag + buffer.getvalue()[2:])
    return path


class Strike:
    """Runs a call when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def strike(path: str) -> None:
    STRUCK.append(path)


CODE = "__import__('sys').modules[%r].STRUCK.append('eval')" % __name__  # noqa: UP031


def attacks(marker: Path) -> dict[str, object]:
    import os
    import subprocess

    touch = f"touch {marker}"
    return {
        "os.system": Strike(os.system, touch),
        "subprocess": Strike(subprocess.Popen, ["touch", str(marker)]),
        "eval": Strike(eval, CODE),
        "exec": Strike(exec, CODE),
        "getattr": Strike(getattr, "", "format"),
        "open": Strike(open, str(marker), "w"),
        "own function": Strike(strike, "own"),
        "inside the settings": {"config": {"model": Strike(os.system, touch)}},
        "inside the weights": {"weight": {"a": Strike(eval, CODE)}},
    }


@pytest.mark.parametrize("tag", [b"PK", b"05"])
@pytest.mark.parametrize("kind", attacks(Path()))
def test_code_in_a_checkpoint_is_refused_and_not_run(kind: str, tag: bytes, tmp_path: Path) -> None:
    marker = tmp_path / "struck"
    pickled = pickle.dumps(attacks(marker)[kind], protocol=2)
    with pytest.raises(ModelError, match="Nothing was run") as refused:
        read(container(pickled, tmp_path / "evil.pth", tag))
    assert "evil.pth" in str(refused.value)
    assert not marker.exists()


def test_code_in_a_file_of_old_pytorch_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "struck"
    path = tmp_path / "old.pth"
    path.write_bytes(
        pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
        + pickle.dumps(1001, protocol=2)
        + pickle.dumps({"protocol_version": 1001, "little_endian": True}, protocol=2)
        + pickle.dumps(attacks(marker)["os.system"], protocol=2)
    )
    with pytest.raises(ModelError, match="Nothing was run"):
        read(path)
    assert not marker.exists()


def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "struck"
    path = tmp_path / "bare.pth"
    path.write_bytes(pickle.dumps(attacks(marker)["os.system"], protocol=2))
    with pytest.raises(ModelError, match="not a PyTorch checkpoint"):
        read(path)
    assert not marker.exists()


class Tricky:
    """Poses as upstream's class of settings, with code in every place that unpickling calls."""

    def __init__(self, *arguments: object) -> None:
        STRUCK.append("__init__")

    def __new__(cls, *arguments: object) -> Tricky:
        STRUCK.append("__new__")
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        STRUCK.append("__setstate__")

    def __setitem__(self, name: str, value: object) -> None:
        STRUCK.append("__setitem__")


@pytest.fixture
def tricky_module() -> Iterator[None]:
    """Let `utils.HParams`, were it imported, be the class with the tricks."""
    before = sys.modules.get("utils")
    sys.modules["utils"] = module = types.ModuleType("utils")
    module.HParams = Tricky  # type: ignore[attr-defined]
    yield
    del sys.modules["utils"]
    if before:
        sys.modules["utils"] = before


#: Pickles written by hand, around `utils.HParams`.
HPARAMS = b"\x80\x02cutils\nHParams\n"
POSING = {
    "made as an object": HPARAMS + b")\x81.",
    "made with arguments": HPARAMS + b"X\x04\x00\x00\x00evil\x85\x81.",
    "called": HPARAMS + b")R.",
    "called with arguments": HPARAMS + b"X\x04\x00\x00\x00evil\x85R.",
    "given a state": HPARAMS + b")\x81}X\x01\x00\x00\x00aK\x01sb.",
    "given a state that is none": HPARAMS + b")\x81K\x01b.",
    "its class given a state": HPARAMS + b"}X\x0c\x00\x00\x00__setstate__K\x01sb.",
    "one of its methods": b"\x80\x02cutils\nHParams.__init__\n.",
    "another of that module": b"\x80\x02cutils\nos\n.",
}


@pytest.mark.usefixtures("tricky_module")
@pytest.mark.parametrize("kind", POSING)
def test_a_class_that_poses_as_the_settings_is_never_touched(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        read(container(POSING[kind], tmp_path / "posing.pth"))


def test_a_class_with_code_in_its_reduction_does_not_pass_as_settings(tmp_path: Path) -> None:
    import os

    marker = tmp_path / "struck"
    reduced = pickle.dumps(Strike(os.system, f"touch {marker}"), protocol=2)
    state = reduced[2:-1]  # without protocol and stop, to stand inside another pickle
    pickled = HPARAMS + b")\x81}X\x05\x00\x00\x00model" + state + b"sb."
    with pytest.raises(ModelError, match="Nothing was run"):
        read(container(pickled, tmp_path / "nested.pth"))
    assert not marker.exists()


def test_the_stand_in_for_settings_has_no_behaviour() -> None:
    own = set(vars(archive.HParams)) - {"__module__", "__doc__", "__dict__", "__weakref__"}
    assert own - {"__firstlineno__", "__static_attributes__"} == set()

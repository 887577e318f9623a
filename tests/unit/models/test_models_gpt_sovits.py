"""GPT-SoVITS's files are found where people have them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.errors import ModelError, RequestError
from pipeline.models import catalogue, gpt_sovits
from pipeline.models.catalogue_gpt_sovits import GPT_SOVITS, S1, S2, SV, VERSIONS
from pipeline.models.gpt_sovits import find, installed
from pipeline.models.pull import pull
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.models.verify import State, verify
from pipeline.settings import Settings

SHARED = (
    "chinese-hubert-base/config.json",
    "chinese-hubert-base/preprocessor_config.json",
    "chinese-hubert-base/pytorch_model.bin",
    "chinese-roberta-wwm-ext-large/config.json",
    "chinese-roberta-wwm-ext-large/pytorch_model.bin",
    "chinese-roberta-wwm-ext-large/tokenizer.json",
)


def fill(tree: Path, *names: str) -> Path:
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder as upstream's users have it, with every version."""
    names = {*S1.values(), *S2.values(), SV, *SHARED, "fast_langdetect/lid.176.bin"}
    return fill(tmp_path / "GPT-SoVITS" / "GPT_SoVITS" / "pretrained_models", *names)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_folder_of_pretrained_models_is_used_as_it_is(version: str, tree: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    found = find(version, tree)
    assert (found.s1, found.s2) == (tree / S1[version], tree / S2[version])
    assert found.bert_dir == tree / "chinese-roberta-wwm-ext-large"
    assert found.hubert_dir == tree / "chinese-hubert-base"
    assert found.sv == (tree / SV if "Pro" in version else None)
    assert found.g2pw_dir is None
    assert before == {path: path.stat().st_mtime_ns for path in tree.rglob("*")}


def test_a_whole_checkout_is_taken_too(tree: Path) -> None:
    assert find("v2", tree.parents[1]).s2 == tree / S2["v2"]


@pytest.mark.parametrize("place", ["pretrained_models/G2PWModel", "text/G2PWModel"])
def test_g2pw_is_found_in_the_tree_and_where_a_checkout_keeps_it(place: str, tree: Path) -> None:
    fill(tree.parent, f"{place}/g2pW.onnx")
    assert find("v2", tree).g2pw_dir == tree.parent / place


def test_newer_names_of_weights_are_accepted(tree: Path) -> None:
    for folder in ("chinese-hubert-base", "chinese-roberta-wwm-ext-large"):
        (tree / folder / "pytorch_model.bin").rename(tree / folder / "model.safetensors")
    assert installed(tree) == list(VERSIONS)


def test_installed_names_the_versions_that_are_whole(tree: Path) -> None:
    (tree / SV).unlink()
    assert installed(tree) == ["v1", "v2"]
    (tree / "chinese-hubert-base" / "config.json").unlink()
    assert installed(tree) == []
    assert installed(tree / "nothing") == []


def test_what_is_missing_is_named_by_path_with_the_command_that_fetches_it(tree: Path) -> None:
    (tree / S2["v2Pro"]).unlink()
    (tree / "chinese-roberta-wwm-ext-large" / "tokenizer.json").unlink()
    with pytest.raises(ModelError) as refused:
        find("v2Pro", tree)
    told = str(refused.value)
    assert str(tree / "v2Pro" / "s2Gv2Pro.pth") in told
    assert "tokenizer.json or " in told
    assert "s1v3.ckpt" not in told
    assert told.endswith(f"VOXMILL_GPT_SOVITS_DIR={tree} voxmill models pull gpt-sovits-v2Pro")


def test_an_unknown_version_is_refused_with_those_that_exist(tree: Path) -> None:
    with pytest.raises(RequestError, match=r"'v4'.*v1, v2, v2Pro, v2ProPlus"):
        find("v4", tree)


def test_a_fine_tune_takes_the_place_of_the_pretrained_model(tree: Path, tmp_path: Path) -> None:
    fill(tmp_path, "anna.ckpt", "anna.pth")
    (tree / S1["v2"]).unlink()
    found = find("v2", tree, s1=tmp_path / "anna.ckpt", s2=tmp_path / "anna.pth")
    assert (found.s1, found.s2) == (tmp_path / "anna.ckpt", tmp_path / "anna.pth")


def test_a_fine_tune_is_found_by_name_where_upstreams_training_left_it(tree: Path) -> None:
    root = tree.parents[1]
    fill(root, "GPT_weights_v2Pro/anna-e15.ckpt", "SoVITS_weights_v2Pro/anna_e8_s104.pth")
    found = find("v2Pro", tree, s1=Path("anna-e15"), s2=Path("anna_e8_s104.pth"))
    assert found.s1 == root / "GPT_weights_v2Pro" / "anna-e15.ckpt"
    assert found.s2 == root / "SoVITS_weights_v2Pro" / "anna_e8_s104.pth"


def test_of_fine_tunes_with_one_name_the_versions_own_is_taken(tree: Path) -> None:
    root = tree.parents[1]
    fill(root, "GPT_weights/anna.ckpt", "GPT_weights_v2/anna.ckpt", "GPT_weights_v3/anna.ckpt")
    assert find("v2", tree, s1=Path("anna")).s1 == root / "GPT_weights_v2" / "anna.ckpt"
    assert find("v1", tree, s1=Path("anna")).s1 == root / "GPT_weights" / "anna.ckpt"
    with pytest.raises(ModelError, match=r"several of that name.*Give the path"):
        find("v2Pro", tree, s1=Path("anna"))


@pytest.mark.parametrize("named", ["nobody", "folder/nobody.ckpt"])
def test_a_fine_tune_that_is_nowhere_is_told(named: str, tree: Path) -> None:
    with pytest.raises(ModelError, match=rf"{named}: there is no such file"):
        find("v2", tree, s1=Path(named))


def test_the_folder_is_beside_other_models_unless_the_settings_name_one(tmp_path: Path) -> None:
    settings = Settings(models_dir=tmp_path / "models", gpt_sovits_dir=None)
    assert settings.gpt_sovits_folder == tmp_path / "models" / "gpt-sovits"
    named = settings.model_copy(update={"gpt_sovits_dir": tmp_path / "mine"})
    assert named.gpt_sovits_folder == tmp_path / "mine"


@pytest.fixture
def small(mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real catalogue's models with tiny files, pinned, on the mirror."""
    for model in GPT_SOVITS:
        if model.name == "g2pw":
            continue
        (real,) = model.sources
        assert isinstance(real, HubSource)
        files = tuple(pinned(file.name) for file in real.files)
        source = HubSource(real.repo, real.revision, files)
        copy = Model(
            model.name, "", "MIT", (source,), shared_folder=model.shared_folder, needs=model.needs
        )
        monkeypatch.setitem(catalogue.MODELS, model.name, copy)
        mirror.files |= {f"/{source.path(file)}": file.name.encode() for file in files}


def pinned(name: str) -> ModelFile:
    return ModelFile(name, len(name), hashlib.sha256(name.encode()).hexdigest())


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_pulled_is_a_folder_that_is_found(version: str, here: Settings) -> None:
    for name in catalogue.with_needs([f"gpt-sovits-{version}"]):
        assert pull(name, here) == here.gpt_sovits_folder
    assert version in installed(here.gpt_sovits_folder)
    assert gpt_sovits.find(version, here.gpt_sovits_folder).s1.read_bytes() == (
        S1[version].encode()
    )


@pytest.mark.usefixtures("small")
def test_what_a_checkout_lacks_is_pulled_to_where_it_is_looked_for(
    here: Settings, tree: Path
) -> None:
    (tree / S2["v2"]).unlink()
    settings = here.model_copy(update={"gpt_sovits_dir": tree.parents[1]})
    pull("gpt-sovits-v2", settings)
    assert find("v2", settings.gpt_sovits_folder).s2 == tree / S2["v2"]


@pytest.mark.usefixtures("small")
def test_versions_that_share_files_fetch_them_once(here: Settings, mirror) -> None:
    for name in catalogue.with_needs(["gpt-sovits-v2Pro", "gpt-sovits-v2ProPlus"]):
        pull(name, here)
    assert len([path for path, _ in mirror.requests if path.endswith("/s1v3.ckpt")]) == 1


@pytest.mark.usefixtures("small")
def test_models_in_one_folder_do_not_disturb_each_other(here: Settings) -> None:
    pull("gpt-sovits-v2", here)
    begun = here.gpt_sovits_folder / "v2Pro" / ".s2Gv2Pro.pth.123.part"
    fill(begun.parent, begun.name)
    pull("chinese-hubert-base", here)
    assert begun.exists()
    assert verify("gpt-sovits-v2", here).state is State.INTACT
    assert set(stamps(here.gpt_sovits_folder)) == {
        S1["v2"],
        S2["v2"],
        *(name for name in SHARED if "hubert" in name),
    }


def stamps(folder: Path) -> dict[str, object]:
    return json.loads((folder / ".verified.json").read_text())

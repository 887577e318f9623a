"""The files of a GPT-SoVITS version, in upstream's own layout.

A folder `pretrained_models` of GPT-SoVITS works as it is, and so does a checkout that has one.
Fine-tunes are files of the user's; they take the place of the pretrained ones.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ModelError, RequestError
from pipeline.models.catalogue_gpt_sovits import BERT, G2PW, HUBERT, S1, S2, SV, VERSIONS

#: Either name of a file will do.
WEIGHTS = ("pytorch_model.bin", "model.safetensors")
TOKENIZERS = ("tokenizer.json", "vocab.txt")
G2PW_MODELS = ("g2pW.onnx", "g2pw.onnx")

#: Where upstream's training puts fine-tunes, by the setting that names one.
_TUNED = {"s1": ("GPT_weights", ".ckpt"), "s2": ("SoVITS_weights", ".pth")}


@dataclass(frozen=True, slots=True)
class GptSovitsFiles:
    """What a version is made of. That the files are there is checked, not what is in them."""

    version: str
    #: Makes semantic tokens (upstream: GPT).
    s1: Path
    #: Makes sound of them (upstream: SoVITS).
    s2: Path
    bert_dir: Path
    hubert_dir: Path
    #: Speaker verification; of v2Pro and v2ProPlus.
    sv: Path | None
    #: Readings of Chinese characters, where they are installed.
    g2pw_dir: Path | None


def find(
    version: str, folder: Path, *, s1: Path | None = None, s2: Path | None = None
) -> GptSovitsFiles:
    """Return the files of a version.

    Args:
        version: "v1", "v2", "v2Pro" or "v2ProPlus".
        folder: `Settings.gpt_sovits_folder`.
        s1: A fine-tune in place of the pretrained GPT model: a path, or the name of a file that
            upstream's training left in a folder `GPT_weights…`.
        s2: The same of the SoVITS model, in a folder `SoVITS_weights…`.

    Raises:
        RequestError: There is no such version.
        ModelError: Files are missing: names them, and the command that fetches them.
    """
    if version not in VERSIONS:
        raise RequestError(
            f"No GPT-SoVITS version {version!r}. Choose one of: {', '.join(VERSIONS)}."
        )
    place = tree(folder)
    tuned_s1 = _fine_tune("s1", s1, version, place) if s1 else None
    tuned_s2 = _fine_tune("s2", s2, version, place) if s2 else None
    found = GptSovitsFiles(
        version=version,
        s1=tuned_s1 or place / S1[version],
        s2=tuned_s2 or place / S2[version],
        bert_dir=place / BERT,
        hubert_dir=place / HUBERT,
        sv=place / SV if "Pro" in version else None,
        g2pw_dir=_g2pw(place),
    )
    if missing := list(_missing(found)):
        raise ModelError(_complaint(version, place, missing))
    return found


def installed(folder: Path) -> list[str]:
    """Return the versions of which the folder has every file."""
    return [version for version in VERSIONS if _is_whole(version, folder)]


def _is_whole(version: str, folder: Path) -> bool:
    try:
        find(version, folder)
    except ModelError:
        return False
    return True


def tree(folder: Path) -> Path:
    """Return the folder of pretrained models; a checkout of GPT-SoVITS has it inside."""
    folder = folder.expanduser()
    inside = folder / "GPT_SoVITS" / "pretrained_models"
    return inside if inside.is_dir() else folder


def _missing(files: GptSovitsFiles) -> Iterator[str]:
    """Yield what is not there, as a path or as paths of which one would do."""
    wanted: list[tuple[Path, ...]] = [(files.s1,), (files.s2,)]
    if files.sv:
        wanted.append((files.sv,))
    for folder in (files.bert_dir, files.hubert_dir):
        wanted += [(folder / "config.json",), tuple(folder / name for name in WEIGHTS)]
    wanted.append(tuple(files.bert_dir / name for name in TOKENIZERS))
    for choices in wanted:
        if not any(path.is_file() for path in choices):
            yield " or ".join(map(str, choices))


def _complaint(version: str, place: Path, missing: list[str]) -> str:
    command = f"VOXMILL_GPT_SOVITS_DIR={shlex.quote(str(place))} "
    return (
        f"GPT-SoVITS {version} is not complete in {place}. Missing: {', '.join(missing)}. "
        f"Get what is missing with: {command}voxmill models pull gpt-sovits-{version}"
    )


def _g2pw(place: Path) -> Path | None:
    """Return the folder of G2PW: in the tree, or where a checkout keeps it."""
    for folder in (place / G2PW, place.parent / "text" / G2PW):
        if any((folder / name).is_file() for name in G2PW_MODELS):
            return folder
    return None


def _fine_tune(stage: str, named: Path, version: str, place: Path) -> Path:
    """Return the fine-tune's file: as named, or from the folders of upstream's training."""
    named = named.expanduser()
    if named.is_file():
        return named
    stem, suffix = _TUNED[stage]
    name = named.name if named.suffix == suffix else named.name + suffix
    candidates = _trained(stem, name, version, place) if named.name == str(named) else []
    if not candidates:
        raise ModelError(
            f"{named}: there is no such file, and none of that name in a folder {stem}… beside "
            f"{place}."
        )
    if len(candidates) > 1:
        places = ", ".join(map(str, candidates))
        raise ModelError(f"{named}: there are several of that name: {places}. Give the path.")
    return candidates[0]


def _trained(stem: str, name: str, version: str, place: Path) -> list[Path]:
    """Return the fine-tunes of that name; only the version's own folder if it has one."""
    own = stem if version == "v1" else f"{stem}_{version}"
    roots = [place, *place.parents[:2]]
    found = [path for root in roots for path in sorted(root.glob(f"{stem}*/{name}"))]
    return [path for path in found if path.parent.name == own] or found

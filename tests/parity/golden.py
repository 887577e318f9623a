"""Golden cases: what upstream computed, in files found by family below GOLDEN_DIR.

A small part lies in `golden/` beside this file, so that every clone runs it; `GOLDEN_DIR=DIR`
names a larger set of the same layout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

#: Family → what its files match, from the right. Every file of a set belongs to one family.
FAMILIES = {
    "semantic": "s1/*.ckpt",
    "sampling": "s1/*sampling*.npz",
    "sovits": "s2/*.json",
    "clean_text": "text/clean_text*.json",
    "get_phones": "text/get_phones*.json",
    "split": "text/split*.json",
    "audio_frontend": "v3/audio_frontend*.npz",
    "speaker_verification": "v3/sv_*.json",
    "end_to_end": "e2e/*.json",
}

#: Of v3 and v4, which the engine does not speak yet.
NOT_YET_CLAIMED = ("v3/cfm*", "v3/encp*", "v3/vocoder*", "v3/bigvgan*")

#: A case of these families has its arrays in a file of the same name.
SUFFIXES = {".npz", ".json", ".ckpt"}


def folder() -> Path:
    """Return the folder of the golden set."""
    given = os.environ.get("GOLDEN_DIR")
    return Path(given) if given else Path(__file__).parent / "golden"


def files() -> list[Path]:
    """Return every case file of the set."""
    return sorted(path for path in folder().rglob("*") if path.suffix in SUFFIXES)


def cases(family: str) -> list[Path]:
    """Return the files of a family, for `pytest.mark.parametrize(..., ids=name)`."""
    return [path for path in files() if path.match(FAMILIES[family])]


def name(path: Path) -> str:
    """Return the name of a case, for test ids."""
    return path.stem


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a case, given any of its files."""
    with np.load(path.with_suffix(".npz")) as stored:
        return {key: stored[key] for key in stored.files}


def document(path: Path) -> Any:
    """Return the JSON of a case, given any of its files."""
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference as a share of the largest expected value."""
    scale = float(np.abs(theirs).max()) or 1.0
    return float(np.abs(np.asarray(ours, np.float64) - theirs).max()) / scale

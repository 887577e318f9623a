"""Renders with an engine that fails in every way: the book is finished, and nothing is hidden."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty
import pytest
from conftest import Ran

HEAD = "---\ntitle: Faults\nauthor: A. Writer\nlanguage: en\n---\n\n"
WHOLE = ["The lamp was lit at a quarter past nine.", "Nobody came to the door that night."]
#: What is said of each fault in the report.
FAULTS = {
    faulty.CRASH: "crashed",
    faulty.EXIT: "crashed",
    faulty.SEGFAULT: "crashed",
    faulty.EXCEPTION: "crashed",
    faulty.NAN: "samples that are not numbers",
    faulty.EMPTY: "no audio",
    faulty.ERROR: "cannot be spoken today",
    faulty.SILENCE: "nothing is heard",
    faulty.ENDLESS: "s of audio for a text of about",
}


@dataclass(frozen=True)
class Rendered:
    """A book that was rendered by the faulty engine."""

    code: int
    #: What is wrong by the text of the flagged chunk.
    flagged: dict[str, str]
    report: dict[str, Any]
    #: How often each text was begun.
    n_begun: Counter[str]

    def of(self, mark: str) -> str:
        """What is said of the chunk that holds a word."""
        (found,) = (detail for text, detail in self.flagged.items() if mark in text)
        return found


Render = Callable[..., Rendered]


@pytest.fixture
def render(voxmill: Callable[..., Ran], tmp_path: Path) -> Render:
    """Render sentences, each a paragraph of its own, with options of the engine."""

    def render(*sentences: str, check: str = "off", **options: str) -> Rendered:
        book, log, out = tmp_path / "book.md", tmp_path / "log", tmp_path / "out"
        book.write_text(HEAD + "\n\n".join(sentences), encoding="utf-8")
        log.mkdir(exist_ok=True)
        options = {"folder": str(log), **options}
        ran = voxmill(
            "render", book, "--out", out, "--engine", "faulty", "--check", check, "--takes", "2",
            "--profile", "raw", "--subtitles", "none", "--json",
            *(word for name, value in options.items() for word in ("--param", f"{name}={value}")),
            env={
                "PYTHONPATH": str(Path(faulty.__file__).parent),
                "VOXMILL_ENGINES": '{"faulty": "faulty:FaultyEngine"}',
            },
        )  # fmt: skip
        (path,) = out.glob("*/*/report.json")
        report = json.loads(path.read_text("utf-8"))
        return Rendered(
            code=ran.code,
            flagged={
                each["text"]: "; ".join(defect["detail"] for defect in each["verdict"]["defects"])
                for each in report["flagged"]
            },
            report=report,
            n_begun=Counter(work.text for work in faulty.log(log)),
        )

    return render


def holding(mark: str) -> str:
    return f"Then came {mark} into the house."


def test_every_fault_is_flagged_with_its_reason_and_spares_the_rest(render: Render) -> None:
    sentences = [*map(holding, FAULTS), *WHOLE]
    rendered = render(*sentences, batch="2")
    assert rendered.code == 3
    assert set(rendered.flagged) == {*map(holding, FAULTS)}
    for mark, said in FAULTS.items():
        assert said in rendered.of(mark), mark
    assert len(rendered.report["sentences"]) == len(sentences)
    assert [part["files"][0]["format"] for part in rendered.report["parts"]] == ["flac"]


@pytest.mark.models
@pytest.mark.parametrize("check", ["fast", "full"])
def test_silence_and_endless_audio_are_named_in_every_mode(check: str, render: Render) -> None:
    rendered = render(holding(faulty.SILENCE), holding(faulty.ENDLESS), check=check)
    assert rendered.code == 3
    assert rendered.of(faulty.SILENCE) == FAULTS[faulty.SILENCE]
    assert FAULTS[faulty.ENDLESS] in rendered.of(faulty.ENDLESS)


def test_without_a_fault_every_chunk_is_spoken_once(render: Render) -> None:
    rendered = render(*WHOLE, holding("a man"))
    assert rendered.code == 0
    assert rendered.n_begun == Counter([*WHOLE, holding("a man")])


def test_a_batch_that_does_not_fit_the_memory_is_spoken_in_halves(render: Render) -> None:
    large = [holding(f"{faulty.GPU_MEMORY} {number}") for number in ("one", "two", "three")]
    rendered = render(*WHOLE, *large, fits="2", batch="5")
    assert rendered.code == 0
    assert rendered.n_begun == Counter([*WHOLE, *large])


def test_one_text_that_fits_no_memory_is_flagged_alone(render: Render) -> None:
    rendered = render(*WHOLE, holding(faulty.GPU_MEMORY), fits="0")
    assert rendered.code == 3
    assert set(rendered.flagged) == {holding(faulty.GPU_MEMORY)}
    assert "Memory does not suffice" in rendered.of(faulty.GPU_MEMORY)


def test_a_fault_that_passes_leaves_no_trace(render: Render) -> None:
    rendered = render(*WHOLE, holding(faulty.FLAKY_CRASH), holding(faulty.FLAKY_ERROR))
    assert rendered.code == 0
    assert not rendered.flagged
    assert rendered.n_begun[holding(faulty.FLAKY_CRASH)] == 2

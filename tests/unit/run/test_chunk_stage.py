"""The stage of a chunk, with an engine and a checker that fail on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import names
from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Capabilities, Utterance
from pipeline.errors import CorruptObjectError, CrashError, EngineError
from pipeline.manifest.marks import Verdict
from pipeline.manifest.plan import Chunk
from pipeline.run.chunk import Stages, give_up, settle, settled
from pipeline.run.recipe import Recipe
from pipeline.run.stopwatch import Stopwatch
from pipeline.run.takes import Judges, load_audio
from pipeline.store.local import LocalStore

CHUNK = Chunk(
    index=3, chapter=0, text="Eins zwei.", sentences=(0,), voice="v", language="xx",
    pause_after_ms=100,
)  # fmt: skip
RECIPE = Recipe(
    engine="humming",
    engine_fingerprint="1",
    sample_rate_hz=8000,
    voice_revisions={"v": "r"},
    checker="c1",
    speed=1.0,
    seed=0,
    max_takes=3,
)


class Humming:
    """Hums a tone whose pitch comes from the seed; refuses and drops words when told to."""

    name = "humming"
    default_voice = "v"
    capabilities = Capabilities(frozenset({"xx"}), False, 8000, 100, 1)

    def __init__(self, *, refuses: bool = False, dropped: tuple[str, ...] = ()) -> None:
        self.refuses, self.dropped = refuses, dropped
        self.seeds: list[int] = []

    def unspeakable(self, text: str, language: str) -> tuple[str, ...]:
        return self.dropped

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        self.seeds += [utterance.seed for utterance in batch]
        for index, utterance in enumerate(batch):
            yield index, EngineError("no voice today") if self.refuses else self.hum(utterance.seed)

    @staticmethod
    def hum(seed: int) -> Clip:
        phase = np.arange(4000) * (0.1 + seed % 97 / 1000)
        return Clip((0.3 * np.sin(phase)).astype(np.float32), 8000)


class Judge:
    """Gives the scores it was told to, one a take; 1.0 passes."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)

    def check(self, *_: object) -> Verdict:
        score = self.scores.pop(0)
        return Verdict(passed=score == 1.0, score=score, method="gate")


Make = Callable[..., Stages]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def stages(engine: Any, *scores: float) -> Stages:
        checker: Any = Judge(*scores)
        return Stages(engine, Judges(Aligner(None), checker, Stopwatch()), LocalStore(tmp_path))

    return stages


def test_a_good_first_take_is_the_only_one(make: Make) -> None:
    engine = Humming()
    marks, n_takes = settle([CHUNK], RECIPE, make(engine, 1.0))[0]
    assert n_takes == 1
    assert marks.key == RECIPE.key(CHUNK, 0)
    assert engine.seeds == [names.seed_of(marks.key)]


def test_a_failed_take_is_made_again_with_another_seed(make: Make) -> None:
    engine = Humming()
    marks, n_takes = settle([CHUNK], RECIPE, make(engine, 0.2, 1.0))[0]
    assert n_takes == 2
    assert marks.key == RECIPE.key(CHUNK, 1)
    assert len(set(engine.seeds)) == 2


def test_when_no_take_passes_the_best_is_kept_and_flagged(make: Make) -> None:
    marks, n_takes = settle([CHUNK], RECIPE, make(Humming(), 0.2, 0.7, 0.7))[0]
    assert n_takes == 3
    assert marks.key == RECIPE.key(CHUNK, 1)
    assert not marks.verdict.passed


def test_a_settled_chunk_is_found_again_with_the_same_choice(make: Make) -> None:
    stages = make(Humming(), 0.2, 0.7, 0.1)
    marks, _ = settle([CHUNK], RECIPE, stages)[0]
    assert settled(CHUNK, RECIPE, stages.store) == marks


def test_work_that_was_cut_short_goes_on_with_the_next_take(make: Make) -> None:
    engine = Humming()
    stages = make(engine, 0.2, 1.0)
    settle([CHUNK], RECIPE, stages)
    stages.store.delete(names.audio(RECIPE.key(CHUNK, 1)))
    assert settled(CHUNK, RECIPE, stages.store) is None
    again = make(engine, 1.0)
    marks, _ = settle([CHUNK], RECIPE, again)[0]
    assert marks.key == RECIPE.key(CHUNK, 1)
    assert len(engine.seeds) == 3


def test_marks_without_audio_do_not_count(make: Make) -> None:
    stages = make(Humming(), 1.0)
    marks, _ = settle([CHUNK], RECIPE, stages)[0]
    stages.store.delete(names.audio(marks.key))
    assert settled(CHUNK, RECIPE, stages.store) is None
    with pytest.raises(CorruptObjectError, match="made anew"):
        load_audio(marks, stages.store)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-40], lambda d: d[:-60] + bytes([d[-60] ^ 255]) + d[-59:]]
)
def test_damaged_audio_is_made_again_with_the_same_bytes(
    make: Make, damage: Callable[[bytes], bytes]
) -> None:
    stages = make(Humming(), 1.0)
    marks, _ = settle([CHUNK], RECIPE, stages)[0]
    whole = stages.store.get(names.audio(marks.key))
    assert whole is not None
    stages.store.put(names.audio(marks.key), damage(whole))
    assert settled(CHUNK, RECIPE, stages.store) is None
    again, _ = settle([CHUNK], RECIPE, make(Humming(), 1.0))[0]
    assert again == marks
    assert stages.store.get(names.audio(marks.key)) == whole


def test_another_checker_judges_again_without_speaking_again(make: Make) -> None:
    engine = Humming()
    settle([CHUNK], RECIPE, make(engine, 1.0))
    from dataclasses import replace

    settle([CHUNK], replace(RECIPE, checker="c2"), make(engine, 1.0))
    assert len(engine.seeds) == 1


def test_a_chunk_that_cannot_be_spoken_is_a_flagged_gap(make: Make) -> None:
    stages = make(Humming(refuses=True))
    marks, n_takes = settle([CHUNK], RECIPE, stages)[0]
    assert n_takes == 3
    assert not marks.verdict.passed
    assert marks.verdict.score == 0.0
    assert "no voice today" in marks.verdict.defects[0].detail
    assert not load_audio(marks, stages.store).samples.any()
    assert "".join(word.text for word in marks.words) == "Einszwei."


def test_words_the_engine_drops_fail_the_chunk_whatever_was_heard(make: Make) -> None:
    marks, _ = settle([CHUNK], RECIPE, make(Humming(dropped=("zwei",)), 1.0, 1.0, 1.0))[0]
    assert not marks.verdict.passed
    assert "'zwei'" in marks.verdict.defects[0].detail


def test_a_chunk_that_crashes_its_process_is_given_up_and_stays_so(make: Make) -> None:
    store = make(Humming()).store
    marks = give_up(CHUNK, CrashError(), RECIPE, store)
    assert "crashed" in marks.verdict.defects[0].detail
    assert settled(CHUNK, RECIPE, store) == marks


def test_more_takes_try_a_flagged_chunk_again(make: Make) -> None:
    from dataclasses import replace

    engine = Humming()
    settle([CHUNK], RECIPE, make(engine, 0.1, 0.1, 0.1))
    marks, _ = settle([CHUNK], replace(RECIPE, max_takes=4), make(engine, 1.0))[0]
    assert marks.verdict.passed
    assert len(engine.seeds) == 4

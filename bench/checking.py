"""The checker on planted defects: what is caught, what is cried wolf at, and how fast.

    python -m bench.checking [--texts held_out|short_held_out|tuning|short_tuning]
        [--defects-every 2]

The limits in `pipeline/checking/policy.py` were chosen on the tuning sentences; figures are worth
something only on the held-out ones.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hibari import Hibari

from bench import table
from bench.chunks import chunk_of
from bench.planted import Planter, Take
from pipeline import names
from pipeline.assembly.alignment.align import Aligner
from pipeline.checking.check import Checker
from pipeline.checking.policy import CheckPolicy
from pipeline.manifest.marks import Verdict
from pipeline.models import resolve
from pipeline.models.whisper import Whisper
from pipeline.settings import Settings

TEXTS = Path(__file__).parent / "texts"
#: What --texts may name, and under which name its figures are kept; tuning counts for nothing.
SAVED = {"held_out": "checking", "short_held_out": "checking_short"}
CHOICES = [*SAVED, "tuning", "short_tuning"]
CLEAN_SEEDS = (1, 2)
#: Kinds for which the project promises 95 %.
PROMISED = frozenset(
    {
        "word skipped",
        "content word skipped",
        "word substituted",
        "phrase repeated",
        "extra tail",
        "gibberish tail",
        "noise 0 dB",
        "noise 10 dB",
        "silence",
    }
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A take, its verdicts, and the processor seconds of the fast one."""

    take: Take
    fast: Verdict
    full: Verdict
    fast_s: float


class Bench:
    """Everything loaded once."""

    def __init__(self) -> None:
        whisper = Whisper(resolve.model_dir("whisper-base", settings=Settings()), threads=1)
        self._voice = Hibari(threads=1)
        self._aligner = Aligner(whisper)
        self._fast = Checker(whisper, CheckPolicy(mode="fast"))
        self._full = Checker(whisper, CheckPolicy(mode="full"))

    def run(self, sentences: Sequence[str], defects_every: int) -> Iterator[Judged]:
        """Yield every take, judged; defects are planted in one sentence of `defects_every`."""
        self._judge(Planter(self._voice, 0).clean(sentences[0]))  # loads the models
        for index, sentence in enumerate(sentences):
            planters = [Planter(self._voice, seed) for seed in CLEAN_SEEDS]
            for planter in planters:
                yield self._judge(planter.clean(sentence))
            if index % defects_every == 0:
                clean = planters[0].clean(sentence)
                timings = self._aligner.align(chunk_of(sentence, "en"), clean.clip)
                yield from map(self._judge, planters[0].defective(sentence, timings))

    def _judge(self, take: Take) -> Judged:
        chunk = chunk_of(take.text, "en")
        words = self._aligner.align(chunk, take.clip)
        digest = names.digest({"text": take.text, "samples": take.clip.samples.tobytes().hex()})
        started = time.process_time()
        fast = self._fast.check(chunk, take.clip, words, digest)
        fast_s = time.process_time() - started
        return Judged(take, fast, self._full.check(chunk, take.clip, words, digest), fast_s)


def by_defect(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return how many takes of each kind are failed, in percent."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[each.take.defect].append(each)
    return [
        {
            "defect": defect,
            "takes": len(group),
            "fast %": _percent([not each.fast.passed for each in group]),
            "full %": _percent([not each.full.passed for each in group]),
            "transcribed %": _percent([each.fast.method == "transcript" for each in group]),
            "promised": _promise(defect),
        }
        for defect, group in groups.items()
    ]


def speed(judged: Sequence[Judged]) -> dict[str, float]:
    """Return audio seconds per processor second of the fast mode on clean takes."""
    clean = [each for each in judged if each.take.defect == "clean"]
    gated = [each for each in clean if each.fast.method == "gate"]
    return {"gate alone": _rate(gated), "fast mode": _rate(clean)}


def _rate(judged: Sequence[Judged]) -> float:
    heard_s = sum(each.take.clip.duration_s for each in judged)
    return round(heard_s / sum(each.fast_s for each in judged), 1)


def _promise(defect: str) -> str:
    if defect == "clean":
        return "<= 3"
    return ">= 95" if defect in PROMISED else ""


def _percent(flags: Sequence[bool]) -> float:
    return round(100 * sum(flags) / len(flags), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", choices=CHOICES, default="held_out")
    parser.add_argument("--defects-every", type=int, default=2)
    options = parser.parse_args()
    path = TEXTS / f"checking_{options.texts}.txt"
    sentences = path.read_text(encoding="utf-8").splitlines()
    judged = list(Bench().run(sentences, options.defects_every))
    rows, rates = by_defect(judged), speed(judged)
    table.show(f"Takes failed, {options.texts} sentences", rows)
    table.show("Audio seconds per processor second, clean takes", [rates])
    wrong = [each for each in judged if (each.take.defect == "clean") != each.fast.passed]
    misjudged = [_story(each) for each in wrong]
    if saved := SAVED.get(options.texts):
        table.save(saved, {"takes": rows, "speed": rates, "misjudged": misjudged})
    for story in misjudged:
        print(story)


def _story(judged: Judged) -> dict[str, Any]:
    return {
        "defect": judged.take.defect,
        "text": judged.take.text,
        "heard": judged.fast.transcript,
        "defects": [defect.detail for defect in judged.fast.defects],
    }


if __name__ == "__main__":
    main()

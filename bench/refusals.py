"""What the English aligner refuses: `python -m bench.refusals`. It should be what does not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench import table
from bench.alignment import lines
from bench.chunks import chunk_of
from bench.truth import Spoken, Teller, unmarked
from pipeline.assembly.alignment.align import Aligner
from pipeline.audio.clip import Clip

Defect = Callable[[Teller, str, Spoken], Clip]


def without_last_word(_teller: Teller, _line: str, whole: Spoken) -> Clip:
    rate = whole.clip.sample_rate_hz
    kept = whole.clip.samples[: int(whole.starts_s[-1] * rate)]
    return Clip(np.append(kept, np.zeros(rate // 5, np.float32)), rate)


def without_a_middle_word(teller: Teller, line: str, _whole: Spoken) -> Clip:
    words, _ = unmarked(line)
    middle = len(words) // 2
    return teller.say(" ".join(words[:middle] + words[middle + 1 :]))


def noisy(snr_db: float) -> Defect:
    def defect(_teller: Teller, _line: str, whole: Spoken) -> Clip:
        samples = whole.clip.samples
        level = np.sqrt(np.mean(samples**2) / 10 ** (snr_db / 10))
        noise = np.random.default_rng(len(samples)).normal(0, level, len(samples))
        return Clip((samples + noise).astype(np.float32), whole.clip.sample_rate_hz)

    return defect


DEFECTS: dict[str, Defect] = {
    "nothing": lambda _teller, _line, whole: whole.clip,
    "the last word is cut off": without_last_word,
    "a word in the middle is left out": without_a_middle_word,
    "noise, 20 dB below": noisy(20),
    "noise, 10 dB below": noisy(10),
}


def main() -> None:
    teller, aligner = Teller(), Aligner(None)
    test_set = [(line, teller.speak(line)) for line in lines("en")]
    rows = []
    for name, defect in DEFECTS.items():
        clips = [(whole.text, defect(teller, line, whole)) for line, whole in test_set]
        refused = sum(aligner.align(chunk_of(text, "en"), clip) is None for text, clip in clips)
        rows.append({"wrong with the audio": name, "chunks": len(clips), "refused": refused})
    table.show("English chunks the aligner refuses", rows)
    table.save("refusals", {"refused": rows})


if __name__ == "__main__":
    main()

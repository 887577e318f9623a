"""Takes with planted defects: what a voice may do wrong, made from audio that is right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from hibari import SAMPLE_RATE, Hibari

from pipeline.audio.clip import Clip, Samples, decode, encode_flac
from pipeline.audio.energy import speech_span
from pipeline.manifest.marks import Word

MIN_WORDS = 5
FADE = SAMPLE_RATE // 200
OTHER_WORDS = "window copper gentle seventy marvel basket orange whistle thunder paper".split()
GIBBERISH = ("blorva shtemin gako", "zimpu ratelo krin", "oovash dombi tekral")
TAILS = ("and then it went on", "so they say here", "which is very nice")

Speak = Callable[[str], Samples]


@dataclass(frozen=True, slots=True)
class Take:
    """A text, what was made of it, and the defect in it ("clean" for none)."""

    text: str
    clip: Clip
    defect: str


class Planter:
    """Makes takes of a sentence; the same sentence and seed give the same takes."""

    def __init__(self, voice: Hibari, seed: int) -> None:
        self._voice, self._seed = voice, seed

    def clean(self, text: str) -> Take:
        return self._take(text, "clean", self._say(text))

    def defective(self, text: str, timings: tuple[Word, ...] | None) -> Iterator[Take]:
        """Yield a take for each defect that the sentence has room for."""
        dice = random.Random(f"{self._seed} {text}")
        words = text.split()
        if len(words) >= MIN_WORDS:
            for name, wrong in _rewordings(words, dice):
                yield self._take(text, name, self._say(wrong))
            if timings:
                yield from self._cuts(text, timings, dice)
        else:
            for name, wrong in _short_rewordings(words, dice):
                yield self._take(text, name, self._say(wrong))
        samples = self._say(text)
        noise = np.random.default_rng(self._seed).standard_normal(len(samples))
        for ratio_db in (0, 10):
            yield self._take(text, f"noise {ratio_db} dB", _noisy(samples, noise, ratio_db))
        yield self._take(text, "silence", np.zeros_like(samples))
        yield self._take(text, "clipping", np.clip(samples * 12 / np.abs(samples).max(), -1, 1))

    def _cuts(self, text: str, timings: tuple[Word, ...], dice: random.Random) -> Iterator[Take]:
        samples = self._say(text)
        span = speech_span(Clip(samples, SAMPLE_RATE))
        yield self._take(
            text, "truncated by 25 %", _faded(samples[: span.end - (span.end - span.start) // 4])
        )
        yield self._take(text, "last word cut off", _faded(samples[: timings[-1].start_sample]))
        word = timings[dice.randrange(1, len(timings) - 1)]
        yield self._take(text, "word spliced out", _without(samples, word))

    def _say(self, text: str) -> Samples:
        return np.asarray(self._voice(text, seed=self._seed), np.float32)

    @staticmethod
    def _take(text: str, defect: str, samples: Samples) -> Take:
        # What is checked is what would be stored: 16-bit audio.
        stored = encode_flac(Clip(samples.astype(np.float32), SAMPLE_RATE))
        return Take(text, decode(stored), defect)


def _rewordings(words: list[str], dice: random.Random) -> Iterator[tuple[str, str]]:
    n = len(words)
    any_word = dice.randrange(n)
    contents = [i for i, word in enumerate(words) if len(word.strip(".,;:!?\"'")) >= 5]
    content = dice.choice(contents or range(n))
    first = dice.randrange(n - 2)
    phrase = words[first : first + 3]
    doubled = dice.randrange(n)
    other = dice.choice(OTHER_WORDS)
    yield "word skipped", _joined(words[:any_word], words[any_word + 1 :])
    yield "content word skipped", _joined(words[:content], words[content + 1 :])
    yield "phrase repeated", _joined(words[: first + 3], phrase, words[first + 3 :])
    yield "word repeated", _joined(words[:doubled], [words[doubled]], words[doubled:])
    yield "word substituted", _joined(words[:content], [other], words[content + 1 :])
    yield "extra tail", _joined(words, [dice.choice(TAILS) + "."])
    yield "gibberish tail", _joined(words, [dice.choice(GIBBERISH) + "."])


def _short_rewordings(words: list[str], dice: random.Random) -> Iterator[tuple[str, str]]:
    yield "said twice", _joined(words, words)
    yield "another word", dice.choice(OTHER_WORDS).capitalize() + "."
    yield "extra tail", _joined(words, [dice.choice(TAILS) + "."])
    yield "gibberish tail", _joined(words, [dice.choice(GIBBERISH) + "."])


def _joined(*parts: list[str]) -> str:
    return " ".join(word for part in parts for word in part)


def _faded(samples: Samples) -> Samples:
    faded = samples.copy()
    faded[-FADE:] *= np.linspace(1, 0, min(FADE, len(faded)), dtype=np.float32)
    return faded


def _without(samples: Samples, word: Word) -> Samples:
    """Cut a word out and cross-fade what is left."""
    before, after = samples[: word.start_sample].copy(), samples[word.end_sample :]
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    before[-FADE:] = before[-FADE:] * (1 - ramp) + after[:FADE] * ramp
    return np.concatenate([before, after[FADE:]])


def _noisy(samples: Samples, noise: Samples, ratio_db: float) -> Samples:
    power = np.mean(np.square(samples)) / 10 ** (ratio_db / 10)
    return samples + noise * np.sqrt(power / np.mean(np.square(noise)))

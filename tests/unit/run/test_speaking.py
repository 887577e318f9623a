"""What is asked of an engine, and what is believed of its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import faulty
import numpy as np
import pytest
from faulty import FaultyEngine

from pipeline.audio.clip import Clip
from pipeline.engines.protocol import Utterance
from pipeline.engines.silent import hum
from pipeline.errors import EngineError, ShortageError
from pipeline.run.speaking import as_done, is_out_of_memory, speak
from pipeline.settings import Settings

WHOLE = [f"Sentence number {word} is whole." for word in ("one", "two", "three", "four", "five")]


def say(text: str, seed: int = 1) -> Utterance:
    return Utterance(text=text, language="en", voice="nobody", seed=seed)


def engine(**options: str) -> FaultyEngine:
    return FaultyEngine(Settings(), options)


class Giving(FaultyEngine):
    """Gives what it was told to, whatever it is asked."""

    def __init__(self, give: Callable[[Sequence[Utterance]], Iterable[Any]]) -> None:
        super().__init__(Settings())
        self.give = give

    def synthesize(self, batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip | EngineError]]:
        yield from self.give(batch)


def heard(spoken: Sequence[Clip | EngineError]) -> list[bytes | str]:
    return [
        each.samples.tobytes() if isinstance(each, Clip) else type(each).__name__ for each in spoken
    ]


def problem(given: Any) -> str:
    """What is said of a single result."""
    (spoken,) = speak(Giving(lambda _: [(0, given)]), [say(WHOLE[0])])
    assert isinstance(spoken, EngineError)
    return str(spoken)


def test_nothing_to_speak_is_not_asked_for() -> None:
    assert speak(Giving(lambda _: pytest.fail("it was asked")), []) == []


@pytest.mark.parametrize("mark", [faulty.GPU_MEMORY, faulty.MEMORY])
def test_a_batch_that_does_not_fit_is_spoken_in_smaller_ones(mark: str, tmp_path: Path) -> None:
    batch = [say(f"{text} {mark}") for text in WHOLE]
    spoken = speak(engine(fits="2", folder=str(tmp_path)), batch)
    assert heard(spoken) == heard([*map(hum, batch)])
    assert [work.text for work in faulty.log(tmp_path)] == [each.text for each in batch]


def test_a_single_text_that_does_not_fit_is_an_error_and_spares_the_others() -> None:
    texts = [*WHOLE[:3], f"Large. {faulty.GPU_MEMORY}", WHOLE[4]]
    spoken = speak(engine(fits="0"), [*map(say, texts)])
    assert [isinstance(each, Clip) for each in spoken] == [True, True, True, False, True]
    assert "Memory does not suffice to speak it, even alone (CUDA out of memory)." in str(spoken[3])
    assert "fewer processes" in str(spoken[3])
    assert "2.00 GiB" not in str(spoken[3])


@pytest.mark.slow
def test_when_no_text_at_all_fits_none_is_to_blame() -> None:
    batch = [say(f"{text} {faulty.GPU_MEMORY}") for text in WHOLE]
    with pytest.raises(ShortageError, match=r"faulty: .* any of 5 texts, even alone"):
        speak(engine(fits="0"), batch)


def test_a_text_alone_that_does_not_fit_is_its_own_error() -> None:
    (spoken,) = speak(engine(fits="0"), [say(f"Large. {faulty.MEMORY}")])
    assert isinstance(spoken, EngineError)
    assert "(MemoryError)" in str(spoken)


def test_memory_that_a_failed_batch_held_is_free_before_the_next() -> None:
    alive: list[int] = []

    class Holding:
        def __init__(self) -> None:
            alive.append(1)
            self.me = self  # only the collector finds it

        def __del__(self) -> None:
            alive.pop()

    def give(batch: Sequence[Utterance]) -> Iterable[tuple[int, Clip]]:
        assert not alive
        _held = Holding()
        if len(batch) > 1:
            raise faulty.OutOfMemoryError("CUDA out of memory.")
        _held.me = None
        return enumerate(map(hum, batch))

    assert len(speak(Giving(give), [*map(say, WHOLE)])) == 5


@pytest.mark.parametrize(
    ("error", "is_shortage"),
    [
        (MemoryError(), True),
        (faulty.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("the text is about being out of memory"), False),
    ],
)
def test_only_a_lack_of_memory_is_taken_for_one(error: Exception, is_shortage: bool) -> None:
    assert is_out_of_memory(error) is is_shortage


def test_any_other_exception_is_not_taken_for_an_answer() -> None:
    with pytest.raises(ValueError, match="no engine may raise this"):
        speak(engine(), [say(WHOLE[0]), say(faulty.EXCEPTION)])


def test_an_error_of_one_text_stays_its_own() -> None:
    first, second = speak(engine(), [say(WHOLE[0]), say(faulty.ERROR)])
    assert isinstance(first, Clip)
    assert "cannot be spoken today" in str(second)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (faulty.NAN, "faulty gave samples that are not numbers"),
        (faulty.EMPTY, "faulty gave no audio"),
    ],
)
def test_audio_that_is_none_is_an_error(mark: str, said: str) -> None:
    whole, broken = speak(engine(), [say(WHOLE[0]), say(mark)])
    assert isinstance(whole, Clip)
    assert isinstance(broken, EngineError)
    assert said in str(broken)


def test_samples_beyond_all_bounds_are_an_error() -> None:
    clip = hum(say(WHOLE[0]))
    clip.samples[5] = np.inf
    assert "not numbers" in problem(clip)


def test_another_sample_rate_is_an_error_that_names_both() -> None:
    clip = replace(hum(say(WHOLE[0])), sample_rate_hz=22_050)
    assert "22050 Hz instead of 24000 Hz" in problem(clip)


def test_two_channels_are_an_error() -> None:
    assert "shape (2, 99)" in problem(Clip(np.ones((2, 99), np.float32), 24_000))


def test_what_is_no_clip_is_an_error() -> None:
    assert "NoneType instead of audio" in problem(None)


@pytest.mark.parametrize(
    ("places", "n_heard"),
    [([1, 0, 2, 3], 4), ([0, 1, 1, 2, 3, 4], 2), ([0, 1, 5, 2, 3, 4], 2), ([], 0)],
    ids=["one is missing", "one is twice", "one too many", "nothing"],
)
def test_texts_without_a_result_of_their_own_are_errors(places: list[int], n_heard: int) -> None:
    odd = Giving(lambda batch: [(place, hum(batch[min(place, 4)])) for place in places])
    spoken = speak(odd, [*map(say, WHOLE)])
    whole = [*map(hum, map(say, WHOLE))]
    assert heard(spoken) == heard(
        [each if place in places[:n_heard] else EngineError() for place, each in enumerate(whole)]
    )
    assert {str(each) for each in spoken if isinstance(each, EngineError)} == {
        "faulty gave other results than one for each of 5 texts: the engine is at fault."
    }


def test_what_is_done_is_given_while_the_rest_is_still_being_spoken() -> None:
    begun: list[str] = []

    def give(batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip]]:
        for index, utterance in reversed([*enumerate(batch)]):
            begun.append(utterance.text)
            yield index, hum(utterance)

    spoken = as_done(Giving(give), [*map(say, WHOLE)])
    assert next(spoken)[0] == 4
    assert begun == [WHOLE[4]]
    assert [index for index, _ in spoken] == [3, 2, 1, 0]


def test_what_was_spoken_before_memory_ran_short_is_not_spoken_again() -> None:
    asked: list[int] = []

    def give(batch: Sequence[Utterance]) -> Iterator[tuple[int, Clip]]:
        asked.append(len(batch))
        for index, utterance in enumerate(batch):
            if index == 2:
                raise faulty.OutOfMemoryError("CUDA out of memory.")
            yield index, hum(utterance)

    batch = [*map(say, WHOLE)]
    assert heard(speak(Giving(give), batch)) == heard([*map(hum, batch)])
    assert asked == [5, 1, 2]

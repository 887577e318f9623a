"""Texts in a cloned voice, many at once: each as if it were alone, and a bad one fails alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tiny_engine
import torch
from tiny_engine import TinyEngine

from pipeline.engines.gpt_sovits import sound
from pipeline.engines.gpt_sovits.script import Reading
from pipeline.engines.gpt_sovits.text import spelling, symbols
from pipeline.engines.gpt_sovits.voice_prompt import VoicePrompt
from pipeline.errors import EngineError, RequestError

RATE_HZ = sound.SAMPLE_RATE_HZ
TEXT = "今天天气很好，我们去公园散步吧。"

#: Texts that the engine cannot say, and what it says instead.
UNSPEAKABLE = {
    "": "no word",
    "……": "no word",
    "。": "no word",
    " \n ": "no word",
    "天" * 600: "at most 510 characters",
}


@pytest.fixture(scope="module")
def wanted(engine: TinyEngine) -> list[Any]:
    """Requests that have little in common."""
    return [
        engine.request(TEXT, seed=3),
        engine.request("Hello world, this is it.", "en", seed=4, temperature=1.4),
        engine.request("我昨天买了一台MacBook Pro，屏幕非常清晰。", seed=5, top_p=0.8),
        engine.request("哎呀！怎么会这样？真没想到。", seed=6, text_split_method="cut5", speed=1.3),
        engine.request("你好。", seed=7, prompt=engine.timbre),
        engine.request(TEXT, seed=8),
    ]


def tried(engine: TinyEngine, *requests: Any) -> list[np.ndarray | str]:
    """Return waveforms, and of what fails its reason."""
    return [each if isinstance(each, np.ndarray) else str(each) for each in engine.speak(*requests)]


def require_equal(ours: np.ndarray | str, expected: np.ndarray | str) -> None:
    assert type(ours) is type(expected)
    assert np.array_equal(ours, expected)


# --- Batches --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_text_sounds_alone_as_it_does_in_any_batch(engine: TinyEngine, wanted: list[Any]) -> None:
    alone = [tried(engine, each)[0] for each in wanted]
    assert sum(isinstance(each, np.ndarray) for each in alone) >= 4
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 3, 1, 5, 0, 2, 4]):
        together = tried(engine, *(wanted[i] for i in order))
        for i, spoken in zip(order, together, strict=True):
            require_equal(spoken, alone[i])


def test_the_seed_decides(engine: TinyEngine) -> None:
    first, second, third = engine.speak(*(engine.request(TEXT, seed=s) for s in (3, 8, 3)))
    assert np.array_equal(first, third)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("text", UNSPEAKABLE)
def test_a_text_that_cannot_be_said_fails_alone(engine: TinyEngine, text: str) -> None:
    good = engine.request(TEXT, seed=3)
    before, failed, after = engine.speak(good, engine.request(text), good)
    assert isinstance(failed, EngineError)
    assert UNSPEAKABLE[text] in str(failed)
    assert np.array_equal(before, after)
    assert np.array_equal(before, engine.say(TEXT, seed=3))


def test_nothing_to_say_is_nothing(engine: TinyEngine) -> None:
    assert engine.speak() == []


# --- What is no speech ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> TinyEngine:
    """An engine whose end mark is never likely."""
    s1 = tiny_engine.case()["s1"] | {"eos_row_gain": 0.0}
    return TinyEngine(tmp_path_factory.mktemp("endless"), changed={"s1": s1})


def test_a_model_that_does_not_end_is_told_of_soon_with_the_text(endless: TinyEngine) -> None:
    started = time.monotonic()
    failures = endless.speak(endless.request(TEXT), endless.request("你好。"))
    assert time.monotonic() - started < 20
    for failure, words in zip(failures, ("公园散步", "你好"), strict=True):
        assert isinstance(failure, EngineError)
        assert "did not end" in str(failure) or "in circles" in str(failure)
        assert words in str(failure)


def test_a_stream_that_does_not_end_fails_too(endless: TinyEngine) -> None:
    with pytest.raises(EngineError, match=r"did not end|in circles"):
        list(endless.synthesizer.stream(endless.request("你好。")))


def test_a_voice_that_gives_no_numbers_fails_alone(engine: TinyEngine) -> None:
    broken = replace(engine.prompt, speaker=engine.prompt.speaker * float("nan"))
    good, failed = engine.speak(engine.request(TEXT), engine.request(TEXT, prompt=broken))
    assert np.isfinite(good).all()
    assert isinstance(failed, EngineError)
    assert "no numbers" in str(failed)
    assert "precision fp32" in str(failed)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(900), np.full(900, 5e-4)])
def test_silence_is_no_speech(samples: np.ndarray) -> None:
    with pytest.raises(EngineError, match="silence for '你好'"):
        sound.checked(samples.astype(np.float32), "你好")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_single_sample_that_is_no_number_is_refused(wrong: float) -> None:
    samples = np.full(900, 0.1, np.float32)
    samples[450] = wrong
    with pytest.raises(EngineError, match="no numbers for '你好'"):
        sound.checked(samples, "你好")


def test_what_is_too_loud_is_made_softer_as_a_whole() -> None:
    samples = np.array([0.5, -2.0, 1.0], np.float32)
    assert sound.checked(samples, "").tolist() == [0.25, -1.0, 0.5]
    assert sound.checked(samples / 2, "").tolist() == [0.25, -1.0, 0.5]


# --- Parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
def test_twice_the_speed_is_half_the_length(engine: TinyEngine, speed: float) -> None:
    plain = len(engine.say(TEXT, seed=3))
    assert len(engine.say(TEXT, seed=3, speed=speed)) == pytest.approx(plain / speed, rel=0.05)


def test_greedy_and_without_noise_the_seed_does_not_matter(engine: TinyEngine) -> None:
    options = {"top_k": 1, "noise_scale": 0.0}
    first, second = engine.speak(*(engine.request("你好。", seed=s, **options) for s in (1, 2)))
    require_equal(
        *(each if isinstance(each, np.ndarray) else str(each) for each in (first, second))
    )


def test_silence_lies_between_fragments_and_nowhere_else(engine: TinyEngine) -> None:
    text, options = "今天天气很好。他在图书馆里读书。", {"text_split_method": "cut5", "seed": 2}
    bare = engine.say(text, fragment_interval=0.0, **options)
    spaced = engine.say(text, fragment_interval=0.75, **options)
    n_silent = int(0.75 * RATE_HZ)
    assert len(spaced) == len(bare) + n_silent
    assert spaced[0] == bare[0]
    assert spaced[-1] == bare[-1]
    at = int(np.argmax(spaced[: len(bare)] != bare))
    assert not spaced[at : at + n_silent].any()
    assert np.array_equal(np.delete(spaced, slice(at, at + n_silent)), bare)


def test_without_cutting_there_is_one_fragment(engine: TinyEngine) -> None:
    text = "今天天气很好。他在图书馆里读书。"
    assert len(engine.synthesizer.fragments(engine.request(text))) == 1
    cut = engine.synthesizer.fragments(engine.request(text, text_split_method="cut5"))
    assert [each.norm for each in cut] == ["今天天气很好.", "他在图书馆里读书."]


# --- Readings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word", "spelled", "expected"),
    [
        ("他住在重庆。", "重庆", "ch ong2 q ing4", "ch ong2 q ing4"),
        ("他住在重庆。", "重庆", "chong2 qing4", "ch ong2 q ing4"),
        ("重庆很大。", "重庆", "zhong4 qing4", "zh ong4 q ing4"),
        ("番茄叫tomato。", "tomato", "T AH0 M EY1 T OW0", "T AH0 M EY1 T OW0"),
    ],
)
def test_a_reading_is_spoken_in_its_place(
    engine: TinyEngine, text: str, word: str, spelled: str, expected: str
) -> None:
    start = text.index(word)
    reading = Reading(start, start + len(word), spelling.phonemes(spelled, "v2"))
    (fragment,) = engine.synthesizer.fragments(engine.request(text, readings=(reading,)))
    said = [symbols.table("v2")[i] for i in fragment.phoneme_ids]
    before = engine.front_end.phonemize(text[:start], "zh") if start else []
    # What stands before the word is read by itself; a short opening gets a pause in front.
    n_before = sum(len(part.phonemes) for part in before)
    assert said[n_before : n_before + len(expected.split())] == expected.split()
    assert len(said) > n_before + len(expected.split())
    assert fragment.bert.shape == (1024, len(said))
    assert isinstance(engine.say(text, readings=(reading,)), np.ndarray)


def test_several_readings_may_come_in_any_order(engine: TinyEngine) -> None:
    text = "重庆和长沙。"
    first = Reading(0, 2, ("ch", "ong2", "q", "ing4"))
    second = Reading(3, 5, ("ch", "ang2", "sh", "a1"))
    fragments = [
        engine.synthesizer.fragments(engine.request(text, readings=order))[0]
        for order in ((first, second), (second, first))
    ]
    assert torch.equal(fragments[0].phoneme_ids, fragments[1].phoneme_ids)
    assert fragments[0].norm.startswith("重庆")


# --- The voice ------------------------------------------------------------------------------


def test_auxiliary_audio_changes_the_timbre_and_nothing_else(engine: TinyEngine) -> None:
    clips = [tiny_engine.clip(), tiny_engine.clip(pitch_hz=320, seconds=6, rate_hz=24_000)]
    mixed = engine.synthesizer.make_prompt(clips, tiny_engine.REFERENCE, "zh")
    for name in ("tokens", "phoneme_ids", "bert", "spectrogram"):
        assert torch.equal(getattr(mixed, name), getattr(engine.prompt, name))
    assert not torch.equal(mixed.speaker, engine.prompt.speaker)
    ours, plain = engine.say(TEXT, prompt=mixed), engine.say(TEXT)
    assert len(ours) == len(plain)
    assert not np.array_equal(ours, plain)


def test_the_same_clip_gives_the_same_prompt(engine: TinyEngine) -> None:
    again = engine.synthesizer.make_prompt([tiny_engine.clip()], tiny_engine.REFERENCE, "zh")
    assert again.encode() == engine.prompt.encode()
    assert np.array_equal(
        engine.say(TEXT, prompt=VoicePrompt.decode(again.encode())), engine.say(TEXT)
    )


@pytest.mark.parametrize("text", ["", "  "])
def test_a_voice_without_its_text_gives_its_timbre_only(engine: TinyEngine, text: str) -> None:
    bare = engine.synthesizer.make_prompt([tiny_engine.clip()], text, "zh")
    assert len(bare.tokens) == len(bare.phoneme_ids) == bare.bert.shape[1] == 0
    assert torch.equal(bare.speaker, engine.prompt.speaker)
    assert not np.array_equal(engine.say(TEXT, prompt=bare), engine.say(TEXT))


@pytest.mark.parametrize("seconds", [2.9, 10.1])
def test_a_clip_of_the_wrong_length_is_refused(engine: TinyEngine, seconds: float) -> None:
    with pytest.raises(RequestError, match=f"{seconds:.2f} s long.*3 to 10 s"):
        engine.synthesizer.make_prompt([tiny_engine.clip(seconds=seconds)], "你好。", "zh")


# --- Streaming ------------------------------------------------------------------------------


def test_a_stream_gives_as_much_as_speaking_does_and_begins_early(engine: TinyEngine) -> None:
    request = engine.request("今天天气很好。他在图书馆里读书。", text_split_method="cut5", seed=2)
    (whole,) = engine.speak(request)
    pieces = list(engine.synthesizer.stream(request))
    assert sum(map(len, pieces)) == len(whole)
    assert len(pieces) > 3
    assert len(pieces[0]) < len(whole) / 2
    assert all(np.abs(piece).max() <= 1 for piece in pieces)

"""The engine of dry runs: plausible audio, and nobody takes it for narration."""

from __future__ import annotations

import time

import numpy as np
import pytest
from asking import ask

from pipeline.audio.clip import Clip, encode_flac
from pipeline.checking.signal import refusal
from pipeline.engines.protocol import Utterance
from pipeline.engines.silent import SilentEngine, hum
from pipeline.errors import RequestError
from pipeline.planning.duration import estimate_s
from pipeline.settings import Settings

TEXT = "The lamp was lit at a quarter past nine."


def say(text: str = TEXT, seed: int = 1, speed: float = 1.0, language: str = "en") -> Utterance:
    return Utterance(text=text, language=language, voice="nobody", seed=seed, speed=speed)


def engine(**options: str) -> SilentEngine:
    return SilentEngine(Settings(), options)


@pytest.mark.parametrize(
    ("text", "language"), [(TEXT, "en"), ("河上的灯亮了，没有人来。", "zh"), ("Ja.", "de")]
)
def test_it_takes_as_long_as_the_text_would(text: str, language: str) -> None:
    (clip,) = ask(engine(), say(text, language=language))
    assert isinstance(clip, Clip)
    expected_s = max(0.3, estimate_s(text, language))
    assert clip.duration_s == pytest.approx(expected_s, abs=0.001)
    assert clip.sample_rate_hz == engine().capabilities.sample_rate_hz
    assert clip.samples.dtype == np.float32


def test_twice_the_speed_takes_half_the_time() -> None:
    assert hum(say(speed=2)).duration_s == pytest.approx(hum(say()).duration_s / 2, abs=0.001)


def test_its_audio_can_be_measured_and_begins_and_ends_quietly() -> None:
    samples = hum(say()).samples
    rms_db = 20 * np.log10(np.sqrt(np.mean(samples**2)))
    assert -35 < rms_db < -20
    assert np.abs(samples).max() < 0.15
    assert not samples[:2000].any()
    assert not samples[-2000:].any()
    assert refusal(hum(say()), estimate_s(TEXT, "en")) is None


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert encode_flac(hum(say(seed=7))) == encode_flac(hum(say(seed=7)))


def test_every_seed_gives_other_bytes() -> None:
    near = range(200)
    far = [2**32 - 1 - 9_973 * step for step in range(200)]
    made = {encode_flac(hum(say("A lamp was lit.", seed))) for seed in [*near, *far]}
    assert len(made) == 400


def test_work_is_feigned_by_the_chunk_and_by_the_second_of_audio() -> None:
    def spent_s(**options: str) -> float:
        started_s = time.monotonic()
        ask(engine(**options), say(), say())
        return time.monotonic() - started_s

    assert spent_s(cost_s="0.1") >= 0.2
    assert spent_s(rtf="0.05") >= 2 * 0.05 * hum(say()).duration_s


def test_feigned_work_changes_no_sound() -> None:
    assert engine(cost_s="1", rtf="2").fingerprint() == engine().fingerprint()


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf"])
def test_a_cost_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(RequestError, match=rf"silent: cost_s is '{value}', not a number"):
        engine(cost_s=value)


def test_an_unknown_parameter_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(RequestError, match="silent has no parameter 'top_k': cost_s and rtf"):
        engine(top_k="5")


def test_it_says_that_nothing_is_spoken_wherever_it_is_named() -> None:
    assert not engine().capabilities.speaks
    assert "nothing is spoken" in engine().origin("nobody")
    assert "nothing is spoken" in engine().fingerprint()
    assert "instead of speaking" in engine().voices()[0].description


def test_it_has_no_voice_but_nobody() -> None:
    with pytest.raises(RequestError, match="silent has no voice 'heart', only 'nobody'"):
        engine().voice_revision("heart")

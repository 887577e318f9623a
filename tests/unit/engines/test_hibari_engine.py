from __future__ import annotations

import numpy as np
import pytest
from asking import ask

from pipeline.audio.clip import Clip
from pipeline.engines.hibari import HibariEngine, marked_up
from pipeline.engines.protocol import Utterance
from pipeline.errors import EngineError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.settings import Settings


@pytest.fixture(scope="module")
def engine() -> HibariEngine:
    return HibariEngine(Settings(offline=True))


def say(text: str, **fields: object) -> Utterance:
    given = {"language": "en", "voice": "heart", "seed": 1} | fields
    return Utterance(text=text, **given)  # type: ignore[arg-type]


def test_a_sentence_becomes_audible_speech(engine: HibariEngine) -> None:
    (clip,) = ask(engine, say("The lamps were lit."))
    assert isinstance(clip, Clip)
    assert clip.sample_rate_hz == 24_000
    assert 0.7 < clip.duration_s < 3
    assert np.sqrt(np.mean(clip.samples**2)) > 0.01


def test_the_sound_does_not_depend_on_batch_mates_or_order(engine: HibariEngine) -> None:
    first, second = say("One bell rang."), say("Two bells rang.", seed=7)
    alone = ask(engine, first)[0]
    among = ask(engine, second, first)[1]
    assert isinstance(alone, Clip)
    assert isinstance(among, Clip)
    assert np.array_equal(alone.samples, among.samples)


def test_another_seed_gives_another_take(engine: HibariEngine) -> None:
    one, two = ask(engine, say("One bell rang."), say("One bell rang.", seed=2))
    assert isinstance(one, Clip)
    assert isinstance(two, Clip)
    assert not np.array_equal(one.samples, two.samples)


def test_text_without_sound_is_one_error_and_spares_its_batch_mates(engine: HibariEngine) -> None:
    silent, spoken = ask(engine, say("…"), say("A bell."))
    assert isinstance(silent, EngineError)
    assert isinstance(spoken, Clip)


def test_a_respelling_is_spoken_in_place_of_the_word(engine: HibariEngine) -> None:
    reading = Reading(start=0, end=4, respelling="Wusster")
    assert marked_up(say("Worc is far.", readings=(reading,))) == "Wusster is far."


def test_phonemes_are_passed_in_the_engines_notation(engine: HibariEngine) -> None:
    reading = Reading(start=4, end=10, phonemes="hibˈɑɹi")
    text = marked_up(say("Say hibari now.", readings=(reading,)))
    assert text == "Say [hibari](/hibˈɑɹi/) now."


@pytest.mark.parametrize("text", ["the word 中文 here", "Война и мир", "a λόγος b"])
def test_words_in_another_alphabet_are_reported(engine: HibariEngine, text: str) -> None:
    assert engine.unspeakable(text, "en")


@pytest.mark.parametrize("text", ["naïve café", "“Quoted” — and… dashed", "£50 at 9:40", "😀 ok"])
def test_accents_symbols_and_numbers_are_not_reported(engine: HibariEngine, text: str) -> None:
    assert engine.unspeakable(text, "en") == ()


def test_an_unknown_voice_names_the_known_ones(engine: HibariEngine) -> None:
    with pytest.raises(RequestError, match="heart, emma"):
        engine.voice_revision("nobody")


def test_a_voice_without_files_names_the_command_that_gets_them() -> None:
    with pytest.raises(RequestError, match="voxmill models pull hibari-emma"):
        HibariEngine(Settings(offline=True, models_dir="/nonexistent")).voice_revision("emma")


def test_a_stream_gives_what_a_batch_gives_and_raises_what_it_returns(
    engine: HibariEngine,
) -> None:
    (whole,) = ask(engine, say("One bell rang."))
    pieces = list(engine.stream(say("One bell rang.")))
    assert isinstance(whole, Clip)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), whole.samples)
    with pytest.raises(EngineError, match="no word"):
        list(engine.stream(say("…")))

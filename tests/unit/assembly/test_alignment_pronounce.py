"""Every written word gets the phones that are spoken for it."""

from __future__ import annotations

import pytest

from pipeline.assembly.alignment.pronounce import Pronouncer
from pipeline.manifest.plan import Chunk, Reading


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer()


def spoken(pronouncer: Pronouncer, text: str, *readings: Reading) -> dict[str, str]:
    chunk = Chunk(
        index=0,
        chapter=0,
        text=text,
        sentences=(0,),
        voice="heart",
        language="en",
        pause_after_ms=0,
        readings=readings,
    )
    words = text.split()
    units = pronouncer.units(chunk, words)
    assert len(units) == len(words)
    return {
        word: " ".join("".join(unit) for unit in own)
        for word, own in zip(words, units, strict=True)
    }


def test_money_dates_and_abbreviations_sound_as_they_are_read(pronouncer: Pronouncer) -> None:
    found = spoken(pronouncer, "Dr. Ames paid $3.50 on 10/12/2019, in cash.")
    assert found["Dr."] == "DAAKTER"
    assert found["$3.50"] == "THRIY DAALERZ AEND FIHFTIY SEHNTS"
    assert found["10/12/2019,"] == "AAKTOWBER TWEHLFTH TWEHNTIY NAYNTIYN"
    assert found["cash."] == "KAESH"


def test_units_and_times_are_divided_among_the_words_that_write_them(
    pronouncer: Pronouncer,
) -> None:
    found = spoken(pronouncer, "He ran 5 km at 7:30 pm.")
    assert found["5"] == "FAYV"
    assert found["km"] == "KAHLAAMAHTERZ"
    assert found["7:30"] == "SEHVAHN THERTIY"
    assert found["pm."] == "PIYEHM"


def test_what_is_said_but_not_written_joins_the_word_before(pronouncer: Pronouncer) -> None:
    found = spoken(pronouncer, "It cost $5 million then.")
    assert found["$5"] == "FAYV"
    assert found["million"].endswith("DAALERZ")
    assert found["then."] == "DHEHN"


def test_a_dash_and_a_quote_alone_have_no_sound(pronouncer: Pronouncer) -> None:
    found = spoken(pronouncer, "Well — said ” he.")
    assert found["—"] == ""
    assert found["”"] == ""


def test_a_respelling_sounds_as_respelled(pronouncer: Pronouncer) -> None:
    reading = Reading(start=4, end=16, respelling="chum lee")
    found = spoken(pronouncer, "Old Cholmondeley waved.", reading)
    assert found["Cholmondeley"] == "CHAHM LIY"


def test_given_phonemes_are_taken_as_given(pronouncer: Pronouncer) -> None:
    found = spoken(pronouncer, "Old Siobhan waved.", Reading(start=4, end=11, phonemes="ʃɪvˈɔn"))
    assert found["Siobhan"] == "SHIHVAON"


def test_a_reading_of_two_words_is_divided_between_them(pronouncer: Pronouncer) -> None:
    reading = Reading(start=3, end=14, respelling="neighborhood blue")
    found = spoken(pronouncer, "In Nbrhd Blaux we met.", reading)
    assert found["Nbrhd"] == "NEYBERHHUHD"
    assert found["we"] == "WIY"

"""English text: normalisation, pronunciation, what cannot be said."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.engines.gpt_sovits.text.english import g2p, lexicon, tagging
from pipeline.engines.gpt_sovits.text.english.normalize import normalize
from pipeline.errors import ModelError


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It costs $12.50.", "It costs twelve dollars and fifty cents."),
        ("That is 1£.", "That is one pound."),
        ("In 1998 and 2005.", "In nineteen ninety-eight and two thousand five."),
        ("At 13:30 and 9:00.", "At one thirty p.m. and nine o'clock a.m.."),
        ("The 3rd of 1,200.", "The third of twelve hundred."),
        ("3/4 of 1/2", "three fourths of one half"),
        ("25°C or 2km", "twenty-five degrees celsius or two kilometers"),
        ("2 + 2 = 4", "two plus two Equals four"),
        ("3.14%", "three point one four percent"),
        ("NASA, e.g. café", "N A S A, for example cafe"),
    ],
)
def test_numbers_and_signs_become_words(written: str, said: str) -> None:
    assert normalize(written) == said.replace("a.m..", "a.m.")


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("Hello", "HH AH0 L OW1"),  # in the dictionary
        ("information", "IH2 N F AO2 R M EY1 SH AH0 N"),  # corrected
        ("ChatGPT", "CH AE1 T JH IY1 P IY1 T IY1"),  # added
        ("xqz", "EH1 K S K Y UW1 Z IY1"),  # letter by letter
        ("blogger's", "B L AO1 G ER0 Z"),
        ("chris's", "K R IH1 S AH0 Z"),
        ("seashellmarket", "S IY1 SH EH2 L M AA1 R K AH0 T"),  # a compound
    ],
)
def test_words_are_looked_up_taken_apart_or_predicted(word: str, sounds: str) -> None:
    assert " ".join(g2p.pronouncer().word(word)) == sounds


def test_a_made_up_word_is_predicted_from_its_letters() -> None:
    assert " ".join(g2p.pronouncer().predict("zindle")) == "Z IH1 N D AH0 L"


def test_the_bundled_tagger_tells_homographs_apart() -> None:
    noun = g2p.phonemize("A new record.", "v2").phonemes
    verb = g2p.phonemize("They record it.", "v2").phonemes
    assert "R EH1 K ER0 D" in " ".join(noun)
    assert "R IH0 K AO1 R D" in " ".join(verb)


def test_another_tagger_can_be_given() -> None:
    def verbs(words: Sequence[str]) -> list[str]:
        return ["VBP"] * len(words)

    assert "R IH0 K AO1 R D" in " ".join(g2p.phonemize("A record.", "v2", tag=verbs).phonemes)


def test_a_folder_that_holds_no_tagger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a tagger of nltk"):
        tagging.upstream(tmp_path)


def test_a_short_utterance_begins_with_a_pause() -> None:
    assert g2p.phonemize("Oh", "v2").phonemes == (",", "OW1")


def test_names_can_be_added(tmp_path: Path) -> None:
    path = tmp_path / "names.pickle"
    path.write_bytes(pickle.dumps({"saoirse": [["S", "ER1", "SH", "AH0"]]}))
    assert g2p.phonemize("Saoirse", "v2", names=path).phonemes == ("S", "ER1", "SH", "AH0")


def test_a_list_of_names_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.pickle"
    path.write_bytes(pickle.dumps(Path("elsewhere")))
    with pytest.raises(ModelError, match=r"names\.pickle.*asks for pathlib"):
        lexicon.names(path)


def test_what_is_silently_left_out_is_told() -> None:
    assert g2p.unspeakable("R&D, 5% of $3 at 20°C, café — naïve: 中文 ☃") == [
        (1, "&"),
        (37, "中"),
        (38, "文"),
        (40, "☃"),
    ]

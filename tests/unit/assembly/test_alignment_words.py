"""What counts as a word, how it sounds, and how timings are moved to the energy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly.alignment.arpabet import arpabet
from pipeline.assembly.alignment.heard import spans
from pipeline.assembly.alignment.proportional import spread
from pipeline.assembly.alignment.snap import Edge, snapped
from pipeline.assembly.alignment.speech import speech_runs
from pipeline.assembly.alignment.words import split_words
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan
from pipeline.models.whisper import AlignedWord

RATE = 24_000


@given(st.text(), st.sampled_from(["en", "de", "zh", "ja", "ko"]))
def test_the_words_joined_are_the_text_without_its_white_space(text: str, language: str) -> None:
    assert "".join(split_words(text, language)) == "".join(text.split())


def test_a_written_word_keeps_its_punctuation() -> None:
    assert split_words("“Dr. Ames,” he said — twice.", "en") == (
        "“Dr.", "Ames,”", "he", "said", "—", "twice.",
    )  # fmt: skip


def test_a_chinese_word_is_a_character_with_what_clings_to_it() -> None:
    assert split_words("他说：“你好,World 42！”", "zh") == (
        "他", "说：", "“你", "好,", "World", "42！”",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("phonemes", "phones"),
    [
        ("wˈɔTəɹ", "W AO T ER"),
        ("θɹˈi", "TH R IY"),
        ("ˈAmz", "EY M Z"),
        ("ʤˈɔɪ̃", "JH AO IH"),
        ("—", ""),
    ],
)
def test_phonemes_become_the_phones_of_the_acoustic_model(phonemes: str, phones: str) -> None:
    assert " ".join(arpabet(phonemes)) == phones


@st.composite
def runs_of_speech(draw: st.DrawFn) -> list[SpeechSpan]:
    steps = draw(st.lists(st.integers(1, 50_000), min_size=2, max_size=12))
    marks = np.cumsum(steps)[: len(steps) // 2 * 2].tolist()
    return [SpeechSpan(a, b) for a, b in zip(marks[::2], marks[1::2], strict=True)]


@given(st.lists(st.text("ab.—", min_size=1), max_size=20), runs_of_speech())
def test_spread_words_are_in_order_and_inside_the_speech(
    words: list[str], runs: list[SpeechSpan]
) -> None:
    timed = spread(words, runs)
    assert [word.text for word in timed] == words
    edges = [edge for word in timed for edge in (word.start_sample, word.end_sample)]
    assert edges == sorted(edges)
    assert all(runs[0].start <= edge <= runs[-1].end for edge in edges)


@given(
    st.lists(st.tuples(st.integers(0, 300_000), st.integers(0, 300_000)), min_size=1, max_size=20),
    runs_of_speech(),
    st.integers(0, 10_000),
)
def test_snapped_words_follow_one_another_and_begin_and_end_with_the_speech(
    raw: list[tuple[int, int]], runs: list[SpeechSpan], reach: int
) -> None:
    moved = snapped([Edge(*pair) for pair in raw], runs, reach)
    flat = [place for edge in moved for place in (edge.start, edge.end)]
    assert flat == sorted(flat)
    assert flat[0] == runs[0].start
    assert flat[-1] == runs[-1].end


def test_words_beside_a_pause_stop_and_start_with_the_energy() -> None:
    runs = [SpeechSpan(1000, 20_000), SpeechSpan(26_000, 40_000)]
    raw = [Edge(500, 9000), Edge(9000, 21_500), Edge(21_500, 39_000)]
    assert snapped(raw, runs, 3000) == [
        Edge(1000, 9000), Edge(9000, 20_000), Edge(26_000, 40_000),
    ]  # fmt: skip


def test_a_pause_inside_a_word_moves_no_boundary() -> None:
    runs = [SpeechSpan(0, 20_000), SpeechSpan(26_000, 60_000)]
    raw = [Edge(0, 40_000), Edge(40_000, 60_000)]
    assert snapped(raw, runs, 3000) == raw


def test_a_stop_closure_does_not_part_a_run_of_speech_but_a_pause_does() -> None:
    tone = np.full(RATE // 2, 0.1, np.float32)
    closure, pause = np.zeros(RATE * 60 // 1000, np.float32), np.zeros(RATE // 5, np.float32)
    runs = speech_runs(Clip(np.concatenate([pause, tone, closure, tone, pause, tone]), RATE))
    frame = RATE * 5 // 1000
    found = [(run.start, run.end) for run in runs]
    first, second = len(pause), len(pause) + 2 * len(tone) + len(closure)
    assert found == [(first, second), (second + len(pause), second + len(pause) + len(tone))]
    assert all(edge % frame == 0 for pair in found for edge in pair)


def test_what_whisper_hears_is_carried_over_character_by_character() -> None:
    heard = [AlignedWord("你好", 0.2, 0.6, 0.9), AlignedWord("，吗", 0.6, 1.0, 0.9)]
    found = spans(["你", "好，", "吗"], heard)
    assert found is not None
    starts = [span.start_s for span in found]
    assert starts[1] - starts[0] == pytest.approx(0.2)
    assert starts[2] - starts[1] == pytest.approx(0.4)


def test_another_text_than_whisper_was_given_gives_no_times() -> None:
    assert spans(["eins", "zwei"], [AlignedWord("eins", 0.0, 0.5, 0.9)]) is None

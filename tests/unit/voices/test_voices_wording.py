from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.energy import SpeechSpan
from pipeline.models.whisper import AlignedWord
from pipeline.voices import spans, wording

SENTENCES = ("The bell stopped.", "Nobody came to the door; it was 9:15.", "He put down his book.")


def test_the_same_words_agree_however_they_are_written() -> None:
    assert (
        wording.disagreement(
            "It was nine. Dr. Ames paid $3.50!",
            "it was 9 doctor aims paid three dollars and fifty cents",
            "en",
        )
        < 0.1
    )
    assert wording.disagreement("灯亮了起来。", "燈亮了起來", "zh") == 0
    assert wording.disagreement("他在家里。", "她在家裏", "zh") == 0
    assert wording.disagreement("二零二六年", "2026年", "zh") == 0
    assert wording.disagreement("불이 켜졌습니다.", "불이켜졌습니다", "ko") == 0
    assert wording.disagreement("明かりがつきました。", "明かりがつきました", "ja") == 0


@pytest.mark.parametrize(
    ("text", "heard", "language"),
    [
        ("The bell stopped, and nobody came.", "My brother paints boats in the yard.", "en"),
        ("The bell stopped, and nobody came.", "", "en"),
        ("灯在九点一刻亮了起来。", "今天的天气非常好，我们去公园。", "zh"),
        ("明かりがつきました。", "今日はとても天気がいいです。", "ja"),
        ("불이 켜졌습니다.", "오늘은 날씨가 매우 좋네요.", "ko"),
        ("…", "something", "en"),
    ],
)
def test_other_words_disagree(text: str, heard: str, language: str) -> None:
    assert wording.disagreement(text, heard, language) > wording.WHOLE[language]


def test_a_text_is_divided_where_the_stretches_were_heard() -> None:
    text = " ".join(SENTENCES)
    heard = [
        "the belt stopped",
        "nobody came to the door it was nine fifteen",
        "he put down his book",
    ]
    assert wording.divided(text, heard, "en") == list(SENTENCES)


def test_a_stretch_in_which_nothing_was_heard_has_no_text() -> None:
    assert wording.divided(SENTENCES[0], ["", "the bell stopped", ""], "en") == [
        "",
        SENTENCES[0],
        "",
    ]


def test_a_chinese_text_is_divided_by_sound() -> None:
    text = "灯在九点一刻亮了起来。那天晚上没有人来敲门。"
    heard = ["燈在9點一刻亮了起來", "那天晚上沒有人來敲門"]
    assert wording.divided(text, heard, "zh") == [text[:11], text[11:]]


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=5), st.data())
def test_no_word_of_a_text_is_lost(sentences: list[str], data: st.DataObject) -> None:
    heard = data.draw(
        st.lists(st.sampled_from([*SENTENCES, "", "something else"]), min_size=1, max_size=5)
    )
    text = " ".join(sentences)
    parts = wording.divided(text, heard, "en")
    assert len(parts) == len(heard)
    assert " ".join(" ".join(parts).split()) == text


# Runs of speech with pauses between them, and a word a second.
RATE = 1000


def speech(*lengths_s: float, pause_s: float = 0.4) -> list[SpeechSpan]:
    runs, at = [], 0.0
    for length in lengths_s:
        runs.append(SpeechSpan(int(at * RATE), int((at + length) * RATE)))
        at += length + pause_s
    return runs


def words_of(runs: list[SpeechSpan], texts: list[str], drift_s: float = 0.1) -> list[AlignedWord]:
    """Spread the words of each text over its run; boundaries drift as Whisper's do."""
    words: list[AlignedWord] = []
    for run, text in zip(runs, texts, strict=True):
        parts = text.split(" ")
        step = (run.end - run.start) / RATE / len(parts)
        for number, part in enumerate(parts):
            start = run.start / RATE + number * step + drift_s
            lead = " " if words else ""
            words.append(AlignedWord(lead + part, start, start + step, 0.9))
    return words


def test_a_span_holds_whole_sentences_and_their_text() -> None:
    runs = speech(3, 2, 4, 1)
    texts = ["Nobody came to the", "door that night.", "The lamp was lit at nine.", "And then"]
    best = spans.candidates(runs, words_of(runs, texts), RATE)[0]
    assert best.text == "Nobody came to the door that night."
    assert (best.start, best.end) == (runs[0].start, runs[1].end)


def test_every_span_is_as_long_as_a_reference_may_be() -> None:
    runs = speech(1, 2, 4, 2, 3, 1, 5)
    texts = [f"Run number {number}." for number in range(7)]
    found = spans.candidates(runs, words_of(runs, texts), RATE)
    assert found
    assert all(3.0 <= (each.end - each.start) / RATE <= 10.0 for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_no_span_begins_or_ends_inside_a_word() -> None:
    runs = speech(4, 4)
    # One word lies across the pause.
    words = [
        AlignedWord("One", 0.0, 1.0, 0.9),
        AlignedWord(" loooong", 1.0, 7.0, 0.9),
        AlignedWord(" word.", 7.0, 8.4, 0.9),
    ]
    assert [each.text for each in spans.candidates(runs, words, RATE)] == ["One loooong word."]


def test_speech_without_a_pause_has_no_span() -> None:
    runs = speech(20)
    assert spans.candidates(runs, words_of(runs, ["On and on and on."]), RATE) == []


def test_words_do_not_matter_for_an_auxiliary_clip() -> None:
    found = spans.silent_candidates(speech(2, 2, 2, 2, 2, 2), RATE)
    assert 5.0 <= (found[0].end - found[0].start) / RATE <= 9.0

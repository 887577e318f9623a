from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly.subtitles import ass, srt, vtt, words_json
from pipeline.assembly.subtitles.clock import clock
from pipeline.assembly.subtitles.cues import cues
from pipeline.assembly.subtitles.files import write
from pipeline.assembly.subtitles.style import for_language
from pipeline.errors import RequestError, StorageError
from pipeline.manifest.timeline import TimedChapter, TimedSentence, TimedWord, Timeline

STYLE = for_language("en")


def timeline(*texts: str, voices: tuple[str, ...] = ("heart",), step_s: float = 0.4) -> Timeline:
    sentences, time_s = [], 0.5
    for index, text in enumerate(texts):
        words = []
        for word in text.split():
            words.append(TimedWord(text=word, start_s=time_s, end_s=time_s + step_s))
            time_s += step_s
        sentences.append(
            TimedSentence(
                index=index,
                chapter=0,
                text=text,
                start_s=words[0].start_s,
                end_s=time_s,
                words=tuple(words),
                chunks=(index,),
                voice=voices[index % len(voices)],
            )
        )
        time_s += 1.0
    chapter = TimedChapter(title="One", start_s=0.0, end_s=time_s)
    return Timeline(
        title="Book",
        language="en",
        duration_s=time_s,
        chapters=(chapter,),
        sentences=tuple(sentences),
    )


def test_srt_numbers_its_cues_and_writes_milliseconds_after_a_comma() -> None:
    source = timeline("The lamp burned.", "Nobody came.")
    assert srt.render(source, cues(source, STYLE)) == (
        "1\n00:00:00,500 --> 00:00:01,700\nThe lamp burned.\n\n"
        "2\n00:00:02,700 --> 00:00:03,534\nNobody came.\n"
    )


def test_vtt_escapes_what_would_be_markup() -> None:
    source = timeline("Tom & <Jerry> --> gone")
    made = vtt.render(source, cues(source, STYLE))
    assert "Tom &amp; &lt;Jerry&gt; --&gt; gone" in made
    assert made.startswith("WEBVTT\n\n1\n00:00:00.500 --> ")


def test_vtt_names_the_voices_only_when_there_are_several() -> None:
    alone, several = timeline("Yes.", "No."), timeline("Yes.", "No.", voices=("heart", "onyx"))
    assert "<v " not in vtt.render(alone, cues(alone, STYLE))
    made = vtt.render(several, cues(several, STYLE))
    assert "<v heart>Yes.</v>" in made
    assert "<v onyx>No.</v>" in made


def test_ass_words_add_up_to_their_cue() -> None:
    source = timeline("The keeper climbed one hundred steps, as he had done for years.")
    for line in ass.render(source, cues(source, STYLE)).splitlines():
        if line.startswith("Dialogue:"):
            hundredths = sum(int(k) for k in re.findall(r"\\k(\d+)", line))
            start, end = re.findall(r"0:00:(\d\d)\.(\d\d)", line)
            length = int(end[0] + end[1]) - int(start[0] + start[1])
            assert hundredths == length


def test_ass_text_cannot_start_a_command() -> None:
    source = timeline(r"a {\b1} \N b")
    made = ass.render(source, cues(source, STYLE)).splitlines()[-1]
    text = re.sub(r"\{\\k\d+\}", "", made.split(",", 9)[9])
    assert "\\N" not in text
    assert re.findall(r"(?<!\\)[{}]", text) == []


@given(st.lists(st.floats(0.001, 0.9), min_size=2, max_size=12))
def test_rounding_to_hundredths_never_makes_ass_cues_overlap(steps: list[float]) -> None:
    time_s, sentences = 0.0, []
    for index, step_s in enumerate(steps):
        word = TimedWord(text="Extraordinarily-long-word", start_s=time_s, end_s=time_s + step_s)
        time_s += step_s
        sentences.append(
            TimedSentence(
                index=index,
                chapter=0,
                text=word.text,
                start_s=word.start_s,
                end_s=word.end_s,
                words=(word,),
                chunks=(index,),
                voice=("a", "b")[index % 2],
            )
        )
    source = timeline("x").model_copy(
        update={"sentences": tuple(sentences), "duration_s": time_s + 1.0, "chapters": ()}
    )
    made = ass.render(source, cues(source, STYLE))
    spans = re.findall(r"0:00:(\d\d\.\d\d),0:00:(\d\d\.\d\d)", made)
    times = [float(time) for span in spans for time in span]
    assert len(spans) == len(steps)
    assert times == sorted(times)


def test_json_holds_words_sentences_chapters_and_cues() -> None:
    source = timeline('She said "no".', "Línea 2.")
    made = json.loads(words_json.render(source, cues(source, STYLE)))
    assert made["version"] == 1
    assert [s["text"] for s in made["sentences"]] == ['She said "no".', "Línea 2."]
    assert made["sentences"][0]["words"][1] == {"text": "said", "start_s": 0.9, "end_s": 1.3}
    assert made["chapters"] == [{"title": "One", "start_s": 0.0, "end_s": source.duration_s}]
    assert made["cues"][0]["lines"] == ['She said "no".']


def test_files_stand_beside_a_book_whose_title_has_a_dot(tmp_path: Path) -> None:
    paths = write(timeline("Hello."), ("srt", "vtt", "ass", "json"), tmp_path / "Part 1.5")
    assert [path.name for path in paths] == [f"Part 1.5.{s}" for s in ("srt", "vtt", "ass", "json")]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"'sub'.*srt, vtt, ass, json"):
        write(timeline("Hello."), ("srt", "sub"), tmp_path / "Book")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "Book").write_text("")
    with pytest.raises(StorageError, match="Book"):
        write(timeline("Hello."), ("srt",), tmp_path / "Book" / "Book")


def test_a_clock_counts_past_a_day() -> None:
    assert clock(100 * 3_600_000 + 61_004, ".") == "100:01:01.004"

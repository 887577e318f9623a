from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.assembly.placement import place
from pipeline.assembly.profiles import PROFILES
from pipeline.assembly.report import page
from pipeline.assembly.report.build import RenderedPart, build
from pipeline.assembly.report.phrases import clock, count, size
from pipeline.assembly.report.waveform import N_COLUMNS, Waveform, waveforms
from pipeline.assembly.timing import timeline
from pipeline.errors import CorruptObjectError
from pipeline.manifest.marks import Defect, Marks, Verdict, Word
from pipeline.manifest.plan import Chunk, Plan, PlannedChapter, Sentence
from pipeline.manifest.report import Report, ReportFile
from pipeline.manifest.request import RenderRequest
from pipeline.manifest.timeline import TimedChapter

RATE = 24_000
GOOD = Verdict(passed=True, score=0.98, method="gate")
BAD = Verdict(
    passed=False,
    score=0.4,
    method="transcript",
    defects=(Defect(kind="missing", detail="'<b>' is missing after 'a'"),),
    transcript="a & c",
)
REFUSED = Verdict(passed=False, score=0.0, method="none")
FLAT = Waveform((50,) * N_COLUMNS)


def plan_of(*chapters: tuple[str, ...]) -> Plan:
    """A plan with one chunk a sentence."""
    texts = [(number, text) for number, chapter in enumerate(chapters) for text in chapter]
    firsts = [sum(map(len, chapters[:number])) for number in range(len(chapters))]
    return Plan(
        title="Book <1>",
        author="A & B",
        language="en",
        chapters=tuple(
            PlannedChapter(title=f"Chapter {number}", first_chunk=first, n_chunks=len(chapter))
            for number, (first, chapter) in enumerate(zip(firsts, chapters, strict=True), start=1)
        ),
        sentences=tuple(
            Sentence(index=index, chapter=chapter, text=text)
            for index, (chapter, text) in enumerate(texts)
        ),
        chunks=tuple(
            Chunk(
                index=index,
                chapter=chapter,
                text=text,
                sentences=(index,),
                voice="heart",
                language="en",
                pause_after_ms=400,
            )
            for index, (chapter, text) in enumerate(texts)
        ),
    )


def marks_of(chunk: Chunk, verdict: Verdict) -> Marks:
    words = chunk.text.split()
    edges = np.linspace(0.1 * RATE, 0.9 * RATE, len(words) + 1).astype(int).tolist()
    return Marks(
        key=f"{chunk.index:064}",
        audio_sha256="0" * 64,
        sample_rate_hz=RATE,
        n_samples=RATE,
        speech_start=edges[0],
        speech_end=edges[-1],
        words=tuple(
            Word(text=word, start_sample=start, end_sample=end)
            for word, (start, end) in zip(words, pairwise(edges), strict=True)
        ),
        verdict=verdict,
    )


def request() -> RenderRequest:
    return RenderRequest(
        sources=(),
        title="Book <1>",
        author=None,
        engine="hibari",
        voice="heart",
        profile="audiobook",
        formats=("mp3",),
        subtitles=(),
        engine_fingerprint="abc",
        voice_revisions=(("heart", "r1"),),
        checker="gate-1",
        voxmill="0.1.0",
    )


def report_of(
    plan: Plan, verdicts: dict[int, Verdict] | None = None, problems: tuple[str, ...] = ()
) -> Report:
    marks = {c.index: marks_of(c, (verdicts or {}).get(c.index, GOOD)) for c in plan.chunks}
    placements = place(plan, marks, PROFILES["audiobook"])
    timed = timeline(plan, marks, placements)
    file = ReportFile(
        name="Book -1.mp3",
        format="mp3",
        size_bytes=1_234_567,
        sha256="f" * 64,
        duration_s=timed.duration_s,
        integrated_lufs=-18.04,
        problems=problems,
    )
    part = RenderedPart(timed, placements, (file,))
    return build(job="j1", request=request(), plan=plan, marks=marks, parts=[part])


def page_of(report: Report, folder: Path, clips: dict[int, bytes] | None = None) -> str:
    pictures = [FLAT] * len(report.chapters)
    return page.write(report, folder, waveforms=pictures, clips=clips or {}).read_text()


def test_a_report_is_complete_when_every_sentence_is_spoken_and_passed() -> None:
    report = report_of(plan_of(("One.", "Two and three."), ("Four.",)))
    assert report.is_complete
    assert report.n_words == 5
    assert [c.n_covered for c in report.chapters] == [2, 1]
    second = report.sentences[1]
    assert (second.chunks, second.score, second.is_covered) == ((1,), 0.98, True)
    assert second.start_s is not None
    assert second.end_s is not None
    assert second.start_s < second.end_s


def test_a_flagged_chunk_is_told_with_its_place_and_verdict() -> None:
    report = report_of(plan_of(("One.", "Two."), ("Three.",)), {2: BAD})
    assert not report.is_complete
    (chunk,) = report.flagged
    assert (chunk.index, chunk.chapter, chunk.verdict) == (2, 1, BAD)
    assert report.chapters[1].start_s <= chunk.start_s < chunk.end_s <= report.duration_s
    assert [s.is_flagged for s in report.sentences] == [False, False, True]
    assert report.n_missing == 0


def test_a_chunk_that_was_never_synthesized_leaves_its_sentence_uncovered() -> None:
    report = report_of(plan_of(("One.", "Two.")), {0: REFUSED})
    assert report.n_missing == 1
    assert report.sentences[0].start_s is None
    assert not report.is_complete


def test_a_sentence_that_no_chunk_speaks_is_missing() -> None:
    plan = plan_of(("One.", "Two."))
    silent = plan.model_copy(
        update={"sentences": (*plan.sentences, Sentence(index=2, chapter=0, text="Three."))}
    )
    report = report_of(silent)
    assert [s.is_covered for s in report.sentences] == [True, True, False]
    assert not report.is_complete


def test_a_sentence_whose_words_its_chunks_lack_is_missing() -> None:
    plan = plan_of(("One and two.",))
    cut = plan.chunks[0].model_copy(update={"text": "One and"})
    assert report_of(plan.model_copy(update={"chunks": (cut,)})).n_missing == 1


def test_a_file_that_misses_its_profile_makes_the_report_incomplete() -> None:
    report = report_of(plan_of(("One.",)), problems=("-18.9 LUFS, wanted -18.0",))
    assert report.problems == ("Book -1.mp3: -18.9 LUFS, wanted -18.0",)
    assert not report.is_complete


def test_a_chapter_without_speech_does_not_shift_the_others(tmp_path: Path) -> None:
    plan = plan_of(("One.",), (), ("Two.",))
    marks = {c.index: marks_of(c, BAD) for c in plan.chunks}
    parts = []
    for number in (0, 2):
        placements = place(plan, marks, PROFILES["acx"], range(number, number + 1))
        parts.append(RenderedPart(timeline(plan, marks, placements), placements, ()))
    report = build(job="j1", request=request(), plan=plan, marks=marks, parts=parts)
    assert [(c.index, c.title, c.n_flagged) for c in report.chapters] == [
        (0, "Chapter 1", 1),
        (2, "Chapter 3", 1),
    ]
    assert [part.title for part in report.parts] == ["Chapter 1", "Chapter 3"]
    assert 'data-p="1"><summary>Chapter 3' in page_of(report, tmp_path)


def test_a_report_reads_back_as_it_was_written() -> None:
    report = report_of(plan_of(("One.",), ("Two.",)), {1: BAD})
    assert Report.decode(report.encode()) == report


def test_the_page_says_first_whether_the_book_is_complete(tmp_path: Path) -> None:
    plan = plan_of(("One.", "Two."))
    assert "Complete: all 2 sentences spoken" in page_of(report_of(plan), tmp_path)
    assert "Not complete: 1 flagged chunk" in page_of(report_of(plan, {0: BAD}), tmp_path)


def test_the_page_escapes_the_text_of_the_book(tmp_path: Path) -> None:
    hostile = '<script>alert("x")</script> & more'
    text = page_of(report_of(plan_of((hostile,)), {0: BAD}), tmp_path)
    assert "<script>alert" not in text
    assert html.escape(hostile) in text
    assert "&#x27;&lt;b&gt;&#x27; is missing" in text
    assert "<title>Book &lt;1&gt;: report</title>" in text


def test_the_page_loads_nothing_from_anywhere_else(tmp_path: Path) -> None:
    text = page_of(report_of(plan_of(("One.",)), {0: BAD}), tmp_path, {0: b"fLaC"})
    links = re.findall(r'(?:src|href|data-file0)="([^"]+)"', text)
    assert sorted(links) == ["Book%20-1.mp3", "Book%20-1.mp3", "report_files/chunk-000000.flac"]
    assert "http" not in text.replace("http-equiv", "")
    assert "@import" not in text
    assert "url(" not in text


def test_clips_of_an_earlier_render_are_removed(tmp_path: Path) -> None:
    plan = plan_of(("One.", "Two."))
    page_of(report_of(plan, {0: BAD, 1: BAD}), tmp_path, {0: b"a", 1: b"b"})
    page_of(report_of(plan, {1: BAD}), tmp_path, {1: b"c"})
    folder = tmp_path / "report_files"
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [("chunk-000001.flac", b"c")]
    page_of(report_of(plan), tmp_path)
    assert not folder.exists()


def test_the_page_of_a_long_book_stays_lean(tmp_path: Path) -> None:
    sentence = "The keeper climbed the tower and found that the lamp was already burning bright."
    report = report_of(plan_of(*[(sentence,) * 100] * 20))
    text = page_of(report, tmp_path)
    spoken = 2000 * len(sentence)
    assert len(text) < spoken + 2000 * 80 + 20 * N_COLUMNS * 14 + 20_000


def test_a_waveform_shows_where_the_sound_is(tmp_path: Path) -> None:
    sound = np.zeros((10 * RATE, 2), np.float32)
    sound[2 * RATE : 3 * RATE, 1] = 0.5
    sound[7 * RATE :] = -1.0
    path = tmp_path / "master.flac"
    soundfile.write(path, sound, RATE)
    first, second = waveforms(
        path,
        [
            TimedChapter(title="One", start_s=0, end_s=5),
            TimedChapter(title="Two", start_s=5, end_s=10),
        ],
    )
    column = N_COLUMNS // 5
    assert first.peaks == (0,) * 2 * column + (50,) * column + (0,) * 2 * column
    assert second.peaks == (0,) * 2 * column + (100,) * 3 * column


def test_a_waveform_of_a_chapter_shorter_than_its_columns_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "master.flac"
    soundfile.write(path, np.full(100, 0.25, np.float32), RATE)
    (made,) = waveforms(path, [TimedChapter(title="One", start_s=0, end_s=100 / RATE)])
    assert max(made.peaks) == 25
    assert len(made.peaks) == N_COLUMNS


def test_a_damaged_master_is_named(tmp_path: Path) -> None:
    path = tmp_path / "master.flac"
    path.write_bytes(b"not audio")
    with pytest.raises(CorruptObjectError, match=r"master\.flac"):
        waveforms(path, [])


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (clock(7.9), "0:07"),
        (clock(3729), "1:02:09"),
        (size(812), "812 bytes"),
        (size(3_400_000), "3.4 MB"),
        (size(1_200_000_000), "1.2 GB"),
        (count(1, "chunk"), "1 chunk"),
        (count(1204, "sentence"), "1,204 sentences"),
    ],
)
def test_figures_read_well(made: str, wanted: str) -> None:
    assert made == wanted

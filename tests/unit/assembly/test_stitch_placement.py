"""Where chunks lie in a file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly import placement, stitch, timing
from pipeline.assembly.placement import Placements
from pipeline.assembly.profiles import PROFILES
from pipeline.audio.clip import Clip
from pipeline.manifest.marks import Marks, Verdict, Word
from pipeline.manifest.plan import Chunk, Plan, PlannedChapter, Sentence

RATE = 24_000
AUDIOBOOK = PROFILES["audiobook"]


def make_marks(
    n_samples: int, start: int, end: int, words: tuple[Word, ...] = (), rate: int = RATE
) -> Marks:
    return Marks(
        key="k",
        audio_sha256="0",
        sample_rate_hz=rate,
        n_samples=n_samples,
        speech_start=start,
        speech_end=end,
        words=words,
        verdict=Verdict(passed=True, score=1.0, method="gate"),
    )


def make_plan(pauses_ms: list[list[int]]) -> Plan:
    """Return a plan with one sentence a chunk; one list of pauses a chapter."""
    chunks: list[Chunk] = []
    chapters: list[PlannedChapter] = []
    for chapter, pauses in enumerate(pauses_ms):
        chapters.append(
            PlannedChapter(
                title=f"Chapter {chapter + 1}", first_chunk=len(chunks), n_chunks=len(pauses)
            )
        )
        for pause in pauses:
            index = len(chunks)
            chunks.append(
                Chunk(
                    index=index,
                    chapter=chapter,
                    text=f"Sentence {index}.",
                    sentences=(index,),
                    voice="heart",
                    language="en",
                    pause_after_ms=pause,
                )
            )
    sentences = tuple(Sentence(index=c.index, chapter=c.chapter, text=c.text) for c in chunks)
    return Plan(
        title="Book",
        author=None,
        language="en",
        chapters=tuple(chapters),
        sentences=sentences,
        chunks=tuple(chunks),
    )


def speech_spans(plan: Plan, marks: dict[int, Marks], placed: Placements) -> list[tuple[int, int]]:
    return [
        (p.in_file(marks[p.chunk].speech_start), p.in_file(marks[p.chunk].speech_end))
        for p in placed.chunks
    ]


takes = st.tuples(
    st.integers(0, 6000), st.integers(1, 20_000), st.integers(0, 6000), st.integers(0, 3000)
)


@given(chapters=st.lists(st.lists(takes, min_size=1, max_size=5), min_size=1, max_size=4))
def test_pauses_run_from_speech_to_speech_and_takes_never_overlap(
    chapters: list[list[tuple[int, int, int, int]]],
) -> None:
    plan = make_plan([[pause for *_, pause in chapter] for chapter in chapters])
    flat = [take for chapter in chapters for take in chapter]
    marks = {
        index: make_marks(before + speech + after, before, before + speech)
        for index, (before, speech, after, _) in enumerate(flat)
    }
    placed = placement.place(plan, marks, AUDIOBOOK)
    spans = speech_spans(plan, marks, placed)
    assert spans[0][0] == round(AUDIOBOOK.head_s * RATE)
    assert placed.n_samples == spans[-1][1] + round(AUDIOBOOK.tail_s * RATE)
    for (_, end), (start, _), chunk in zip(spans, spans[1:], plan.chunks, strict=False):
        assert start - end == chunk.pause_after_ms * RATE // 1000
    for one, other in zip(placed.chunks, placed.chunks[1:], strict=False):
        assert one.end <= other.offset
    assert placed.chunks[0].offset >= 0
    assert placed.chunks[-1].end <= placed.n_samples


@given(chapters=st.lists(st.lists(takes, min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_stream_is_exactly_as_long_as_placed_and_every_sample_lies_at_its_offset(
    chapters: list[list[tuple[int, int, int, int]]],
) -> None:
    plan = make_plan([[pause for *_, pause in chapter] for chapter in chapters])
    flat = [take for chapter in chapters for take in chapter]
    clips = {
        index: Clip(np.full(before + speech + after, 0.1 * (index + 1), np.float32), RATE)
        for index, (before, speech, after, _) in enumerate(flat)
    }
    marks = {
        index: make_marks(len(clips[index].samples), before, before + speech)
        for index, (before, speech, _, _) in enumerate(flat)
    }
    placed = placement.place(plan, marks, AUDIOBOOK)
    stream = np.concatenate(list(stitch.blocks(placed, clips.__getitem__)))
    assert stream.dtype == np.float32
    assert len(stream) == placed.n_samples
    silent = np.ones(len(stream), bool)
    for one in placed.chunks:
        silent[one.offset : one.end] = False
        middle = (one.offset + one.end) // 2
        if one.end - one.offset > 2000:
            assert stream[middle] == np.float32(0.1 * (one.chunk + 1))
    assert not stream[silent].any()


def test_a_file_of_some_chapters_holds_their_chunks_only() -> None:
    plan = make_plan([[400, 2500], [400, 2500], [400]])
    marks = {index: make_marks(RATE, 2000, 20_000) for index in range(5)}
    placed = placement.place(plan, marks, AUDIOBOOK, range(1, 2))
    assert [one.chunk for one in placed.chunks] == [2, 3]
    assert placed.chapter_starts == (0,)
    timeline = timing.timeline(plan, marks, placed)
    assert [chapter.title for chapter in timeline.chapters] == ["Chapter 2"]
    assert timeline.chapters[0].end_s == timeline.duration_s


def test_a_chapter_begins_half_a_second_before_its_first_word() -> None:
    plan = make_plan([[2500], [400]])
    marks = {index: make_marks(RATE, 2000, 20_000) for index in range(2)}
    placed = placement.place(plan, marks, AUDIOBOOK)
    first_word = placed.chunks[1].in_file(2000)
    assert placed.chapter_starts == (0, first_word - RATE // 2)


def test_a_chapter_without_chunks_begins_where_the_next_one_does() -> None:
    plan = make_plan([[2500], [], [400]])
    marks = {index: make_marks(RATE, 2000, 20_000) for index in range(2)}
    starts = placement.place(plan, marks, AUDIOBOOK).chapter_starts
    assert starts[1] == starts[2] > 0


def test_a_take_without_speech_stands_as_it_is() -> None:
    plan = make_plan([[400, 400]])
    marks = {0: make_marks(12_000, 0, 0), 1: make_marks(RATE, 2000, 20_000)}
    placed = placement.place(plan, marks, AUDIOBOOK)
    assert (placed.chunks[0].cut_start, placed.chunks[0].cut_end) == (0, 12_000)


def test_takes_of_different_rates_are_refused() -> None:
    plan = make_plan([[400, 400]])
    marks = {0: make_marks(RATE, 0, RATE), 1: make_marks(RATE, 0, RATE, rate=48_000)}
    with pytest.raises(ValueError, match="sample rate"):
        placement.place(plan, marks, AUDIOBOOK)


def test_audio_that_is_not_what_was_placed_is_refused() -> None:
    plan = make_plan([[400]])
    placed = placement.place(plan, {0: make_marks(RATE, 2000, 20_000)}, AUDIOBOOK)
    with pytest.raises(ValueError, match="chunk 0"):
        list(stitch.blocks(placed, lambda _: Clip(np.zeros(100, np.float32), RATE)))


def test_no_joint_makes_a_jump_larger_than_the_fades_allow() -> None:
    # A take whose noise is cut in the middle would click without a fade.
    rng = np.random.default_rng(3)
    clip = Clip(rng.uniform(-0.02, 0.02, RATE).astype(np.float32), RATE)
    clip.samples[:] = np.convolve(clip.samples, np.ones(64) / 8, "same")
    plan = make_plan([[180, 420, 40, 0, 700]])
    marks = {index: make_marks(RATE, 6000, 18_000) for index in range(5)}
    placed = placement.place(plan, marks, AUDIOBOOK)
    stream = np.concatenate(list(stitch.blocks(placed, lambda _: clip)))
    jumps = np.abs(np.diff(stream))
    inside = float(np.abs(np.diff(clip.samples)).max())
    edges = [edge for one in placed.chunks for edge in (one.offset, one.end)]
    assert max(jumps[edge - 1] for edge in edges) < inside / 10
    assert jumps.max() <= inside * 1.05


def test_the_words_of_a_chunk_go_to_the_sentences_they_belong_to() -> None:
    sentences = (
        Sentence(index=0, chapter=0, text="One long sentence, cut in two."),
        Sentence(index=1, chapter=0, text="Yes."),
        Sentence(index=2, chapter=0, text="No way."),
    )
    texts = [("One long sentence,", (0,)), ("cut in two. Yes. No way.", (0, 1, 2))]
    chunks = tuple(
        Chunk(
            index=index,
            chapter=0,
            text=text,
            sentences=spoken,
            voice="heart",
            language="en",
            pause_after_ms=200,
        )
        for index, (text, spoken) in enumerate(texts)
    )
    chapter = PlannedChapter(title="C", first_chunk=0, n_chunks=2)
    plan = Plan(
        title="B",
        author=None,
        language="en",
        chapters=(chapter,),
        sentences=sentences,
        chunks=chunks,
    )
    marks = {}
    for index, (text, _) in enumerate(texts):
        words = tuple(
            Word(text=word, start_sample=1000 + 2000 * i, end_sample=2800 + 2000 * i)
            for i, word in enumerate(text.split())
        )
        marks[index] = make_marks(RATE, 1000, words[-1].end_sample, words)
    timeline = timing.timeline(plan, marks, placement.place(plan, marks, AUDIOBOOK))
    assert [[word.text for word in one.words] for one in timeline.sentences] == [
        ["One", "long", "sentence,", "cut", "in", "two."],
        ["Yes."],
        ["No", "way."],
    ]
    assert [one.chunks for one in timeline.sentences] == [(0, 1), (1,), (1,)]
    assert timeline.sentences[0].start_s == AUDIOBOOK.head_s
    assert timeline.sentences[0].end_s < timeline.sentences[1].start_s


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=12))
def test_words_are_in_order_and_inside_the_file_whatever_the_marks_say(
    edges: list[tuple[int, int]],
) -> None:
    words = tuple(Word(text="w", start_sample=a, end_sample=b) for a, b in edges)
    plan = make_plan([[300, 300]])
    marks = {index: make_marks(18_000, 2000, 15_000, words) for index in range(2)}
    timeline = timing.timeline(plan, marks, placement.place(plan, marks, AUDIOBOOK))
    last = 0.0
    for sentence in timeline.sentences:
        for word in sentence.words:
            assert last <= word.start_s <= word.end_s <= timeline.duration_s
            last = word.end_s

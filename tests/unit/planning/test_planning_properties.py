"""What must hold for every script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pipeline.manifest.plan import Chunk, Plan
from pipeline.manifest.script import Block, Chapter, Script, Span
from pipeline.planning.clauses import split
from pipeline.planning.plan import PlanOptions, plan_script
from pipeline.planning.sentences import sentences

#: Letters of several scripts, stops, quotation marks, symbols, emoji, combining marks.
SOUP = "aB z1Ñß你好々はカー한ب א $%*~😀👍🏽é\u0301\u200d\ufe0f\u3099\u00a0"
SOUP += ".!?…。！？；，、,;:—-\"'“”‘’«»「」『』（）()[]"
WORDS = [
    "Why?",
    "No.",
    "He left.",
    "“Yes,”",
    '"Oh"',
    "(a)",
    "« Bon »",
    "said Dr. Smith",
    "1,250 km;",
    "3.5",
    "你好。",
    "***",
]

anything = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)
soup = st.text(alphabet=SOUP, max_size=80)
prose = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
texts = st.one_of(anything, soup, prose).map(lambda text: " ".join(text.split()))
languages = st.sampled_from(["en", "zh", "ja", "fr", "de", "ar", "xx"])
spans = st.builds(
    Span,
    text=texts,
    speaker=st.sampled_from([None, "Host", "Guest"]),
    voice=st.sampled_from([None, None, "bella"]),
    pause_after_ms=st.sampled_from([None, None, None, 0, 800]),
)
blocks = st.builds(
    Block,
    kind=st.sampled_from(["heading", "paragraph", "paragraph", "paragraph"]),
    spans=st.lists(spans, max_size=4).map(tuple),
    language=st.sampled_from([None, None, "zh"]),
) | st.just(Block(kind="scene_break"))
chapters = st.builds(Chapter, title=st.just("T"), blocks=st.lists(blocks, max_size=5).map(tuple))
scripts = st.builds(
    Script,
    title=st.just("Book"),
    language=languages,
    chapters=st.lists(chapters, min_size=1, max_size=3).map(tuple),
)
options = st.builds(
    PlanOptions,
    voice=st.just("heart"),
    speaker_voices=st.just({"guest": "nova"}),
    max_chars=st.integers(min_value=6, max_value=120),
    merge_below_chars=st.integers(min_value=0, max_value=30),
)

#: Whole scripts are slow to make.
few = settings(max_examples=50, deadline=None)
many = settings(max_examples=200, deadline=None)


def spoken(script: Script) -> str:
    return bare("".join(block.text for chapter in script.chapters for block in chapter.blocks))


def bare(text: str) -> str:
    return "".join(text.split())


def has_words(script: Script) -> bool:
    return any(map(str.isalnum, spoken(script)))


@few
@given(scripts, options)
def test_no_character_is_lost_duplicated_or_reordered(script: Script, wanted: PlanOptions) -> None:
    assume(has_words(script))
    plan = plan_script(script, wanted)
    assert bare("".join(chunk.text for chunk in plan.chunks)) == spoken(script)
    assert bare("".join(sentence.text for sentence in plan.sentences)) == spoken(script)


@few
@given(scripts, options)
def test_a_chunk_fits_the_engine_unless_it_is_one_word(script: Script, wanted: PlanOptions) -> None:
    assume(has_words(script))
    for chunk in plan_script(script, wanted).chunks:
        assert chunk.text == chunk.text.strip()
        assert any(map(str.isalnum, chunk.text)), "an engine would choke on it"
        if len(chunk.text) > wanted.max_chars:
            assert is_one_word(chunk.text), chunk.text


def is_one_word(text: str) -> bool:
    """A word, and symbols that have nowhere else to go."""
    pieces = [piece for piece in text.split() if any(map(str.isalnum, piece))]
    return len(pieces) == 1 and len(split(pieces[0], 1)) == 1


@few
@given(scripts, options)
def test_planning_twice_gives_the_same_bytes(script: Script, wanted: PlanOptions) -> None:
    assume(has_words(script))
    first, second = plan_script(script, wanted), plan_script(script, wanted)
    assert first == second
    assert first.encode() == second.encode()
    assert Plan.decode(first.encode()) == first


@few
@given(scripts, options)
def test_every_sentence_is_spoken_by_the_chunks_that_list_it(
    script: Script, wanted: PlanOptions
) -> None:
    assume(has_words(script))
    plan = plan_script(script, wanted)
    listed = [index for chunk in plan.chunks for index in chunk.sentences]
    assert sorted(set(listed)) == [sentence.index for sentence in plan.sentences]
    assert listed == sorted(listed)
    for sentence in plan.sentences:
        speaking = [chunk for chunk in plan.chunks if sentence.index in chunk.sentences]
        assert bare(sentence.text) in bare("".join(chunk.text for chunk in speaking))
        assert {chunk.chapter for chunk in speaking} == {sentence.chapter}
        assert speaking[-1].is_partial is False or sentence.index != speaking[-1].sentences[-1]


@few
@given(scripts, options)
def test_chapters_own_their_chunks_in_order(script: Script, wanted: PlanOptions) -> None:
    assume(has_words(script))
    plan = plan_script(script, wanted)
    assert [chunk.index for chunk in plan.chunks] == list(range(len(plan.chunks)))
    owned = [
        (index, number)
        for number, chapter in enumerate(plan.chapters)
        for index in range(chapter.first_chunk, chapter.first_chunk + chapter.n_chunks)
    ]
    assert owned == [(chunk.index, chunk.chapter) for chunk in plan.chunks]
    assert len(plan.chapters) == len(script.chapters)


@many
@given(st.one_of(anything, soup, prose), languages)
@example("“", "en")
@example('a. "', "en")
@example("x. « ", "fr")
def test_sentences_rebuild_the_text(text: str, language: str) -> None:
    found = sentences(text, language)
    assert "".join(found) == text
    if any(map(str.isalnum, text)):
        assert all(any(map(str.isalnum, sentence)) for sentence in found)


@many
@given(st.one_of(soup, prose), st.integers(min_value=1, max_value=40))
def test_parts_of_a_sentence_rebuild_it(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join(parts) == text
    if len(parts) > 1:
        assert all(any(map(str.isalnum, part)) for part in parts)


#: Sentences of a paragraph; a run of short ones among them fits one chunk.
short = st.sampled_from(["No.", "Yes!", "Go.", "Why?"])
plain = st.integers(min_value=4, max_value=60).map(lambda n: "Word" + " word" * n + ".")
paragraphs = st.lists(st.one_of(plain, plain, short), min_size=1, max_size=12).filter(
    lambda found: all(any(len(s) > 16 for s in found[i : i + 6]) for i in range(len(found) - 5))
)


@many
@given(paragraphs, st.data())
def test_editing_a_sentence_changes_its_own_chunks_and_at_most_one_neighbour(
    paragraph: list[str], data: st.DataObject
) -> None:
    edited = data.draw(st.integers(min_value=0, max_value=len(paragraph) - 1))
    new = [*paragraph]
    new[edited] = data.draw(st.one_of(plain, short))
    before, after = chunks_of(paragraph), chunks_of(new)
    known = {chunk.text for chunk in before}
    changed = [chunk for chunk in after if chunk.text not in known]
    others = [chunk for chunk in changed if edited not in chunk.sentences]
    assert len(others) <= 1
    if len(new[edited]) < 200:
        assert len(changed) <= 2


def chunks_of(paragraph: Sequence[str]) -> Sequence[Chunk]:
    block = Block(kind="paragraph", spans=(Span(text=" ".join(paragraph)),))
    script = Script(title="B", language="en", chapters=(Chapter(title="T", blocks=(block,)),))
    return plan_script(script, replace(PlanOptions(voice="heart"), max_chars=300)).chunks

"""Plans: chunks, voices, pauses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.manifest.plan import Pauses, Plan
from pipeline.manifest.script import Block, Chapter, Script, Source, Span
from pipeline.planning.plan import PlanOptions, plan_script
from pipeline.planning.voices import speakers_without_voice

OPTIONS = PlanOptions(voice="heart", pauses=Pauses(scene_break_ms=1900, chapter_ms=2600))
SCENE_BREAK = Block(kind="scene_break")


def paragraph(*spans: Span | str, language: str | None = None) -> Block:
    made = tuple(Span(text=span) if isinstance(span, str) else span for span in spans)
    return Block(kind="paragraph", spans=made, language=language)


def heading(text: str) -> Block:
    return Block(kind="heading", spans=(Span(text=text),))


def script_of(*chapters: tuple[Block, ...], language: str = "en") -> Script:
    made = tuple(Chapter(title=f"Chapter {n}", blocks=b) for n, b in enumerate(chapters, start=1))
    return Script(title="Book", author="Ann", language=language, chapters=made)


def plan_of(*blocks: Block, options: PlanOptions = OPTIONS, language: str = "en") -> Plan:
    return plan_script(script_of(blocks, language=language), options)


def texts(plan: Plan) -> list[str]:
    return [chunk.text for chunk in plan.chunks]


def pauses(plan: Plan) -> list[int]:
    return [chunk.pause_after_ms for chunk in plan.chunks]


def test_a_sentence_is_a_chunk() -> None:
    plan = plan_of(paragraph("It was late in the year. Nobody was on the quay."))
    assert texts(plan) == ["It was late in the year.", "Nobody was on the quay."]
    assert [chunk.sentences for chunk in plan.chunks] == [(0,), (1,)]
    assert (plan.title, plan.author, plan.language) == ("Book", "Ann", "en")


def test_a_long_sentence_becomes_several_partial_chunks() -> None:
    text = "He walked along the wall, and he counted the stones; then he sat down by the gate."
    plan = plan_of(paragraph(text), options=replace(OPTIONS, max_chars=60, merge_below_chars=0))
    assert [chunk.is_partial for chunk in plan.chunks] == [True, False]
    assert [chunk.sentences for chunk in plan.chunks] == [(0,), (0,)]
    assert plan.sentences[0].text == text


def test_a_short_sentence_shares_the_chunk_before_it() -> None:
    plan = plan_of(paragraph("Nobody came to the door. No. The house was dark and cold."))
    assert texts(plan) == ["Nobody came to the door. No.", "The house was dark and cold."]
    assert plan.chunks[0].sentences == (0, 1)


def test_a_short_sentence_that_starts_a_paragraph_shares_the_chunk_after_it() -> None:
    plan = plan_of(paragraph("Why? Nobody came to the door."), paragraph("Why not?"))
    assert texts(plan) == ["Why? Nobody came to the door.", "Why not?"]


def test_a_chinese_sentence_of_six_letters_is_not_short() -> None:
    plan = plan_of(paragraph("好。我们今天去公园。他今天不来了。"), language="zh")
    assert texts(plan) == ["好。我们今天去公园。", "他今天不来了。"]


def test_nothing_is_merged_when_the_limit_is_zero() -> None:
    plan = plan_of(paragraph("Why? No. Go."), options=replace(OPTIONS, merge_below_chars=0))
    assert texts(plan) == ["Why?", "No.", "Go."]


@pytest.mark.parametrize(
    "blocks",
    [
        (heading("One."), paragraph("Two.")),
        (paragraph("One."), paragraph("Two.")),
        (paragraph(Span(text="One.", pause_after_ms=100), "Two."),),
        (paragraph("One.", Span(text="", pause_after_ms=100), "Two."),),
        (paragraph("One.", Span(text="Two.", voice="bella")),),
        (paragraph("One.", Span(text="Two.", speaker="Guest")),),
        (paragraph("One."), paragraph("Two.", language="fr")),
    ],
    ids=["heading", "paragraph", "pause", "lone pause", "voice", "speaker", "language"],
)
def test_short_sentences_are_never_merged_across_a_boundary(blocks: tuple[Block, ...]) -> None:
    assert texts(plan_of(*blocks)) == ["One.", "Two."]


def test_a_run_of_short_sentences_is_shared_out() -> None:
    plan = plan_of(paragraph("Nobody came to the door. " + "No. " * 20))
    assert max(map(len, texts(plan))) < 80
    assert min(map(len, texts(plan))) > len("No.")


def test_the_pause_follows_from_what_comes_between() -> None:
    plan = plan_script(
        script_of(
            (
                heading("The first day"),
                paragraph("A line of the text that ends here. Is this a real question?"),
                paragraph("He did not know what to say… It was hard to say, so he left."),
                SCENE_BREAK,
                paragraph("It was the next morning already."),
                heading("The second day"),
                paragraph("It was the very last line."),
            ),
            (paragraph("Another chapter begins."),),
        ),
        OPTIONS,
    )
    assert pauses(plan) == [1100, 420, 700, 1900, 1100, 1100, 2600, 2600]


def test_the_last_mark_of_a_chunk_decides_the_pause_inside_a_paragraph() -> None:
    spans = ("He asked “Who is it?”", "and then he said:", "nothing at all", "was it… ", "End.")
    bella = [Span(text=text, voice=f"voice{n}") for n, text in enumerate(spans)]
    assert pauses(plan_of(paragraph(*bella)))[:-1] == [480, 180, 180, 600]


def test_a_part_of_a_sentence_pauses_as_its_mark_asks() -> None:
    text = "He walked along the wall; there he counted all the stones of the old house by the gate."
    plan = plan_of(paragraph(text), options=replace(OPTIONS, max_chars=40, merge_below_chars=0))
    assert pauses(plan) == [180, 60, 2600]


def test_a_pause_mark_wins_over_everything() -> None:
    plan = plan_of(
        Block(kind="heading", spans=(Span(text="Title", pause_after_ms=5),)),
        paragraph(Span(text="Before the break.", pause_after_ms=0)),
        SCENE_BREAK,
        paragraph(Span(text="The end of it all.", pause_after_ms=3000)),
    )
    assert pauses(plan) == [5, 0, 3000]


def test_marks_that_stand_alone_add_up_on_the_text_before_them() -> None:
    plan = plan_of(
        paragraph(Span(text="", pause_after_ms=900)),
        paragraph("One line of text.", Span(text="", pause_after_ms=300)),
        paragraph(Span(text="", pause_after_ms=200)),
        paragraph("Another line of text."),
    )
    assert pauses(plan) == [500, 2600]


def test_the_voice_in_the_text_wins_over_the_speaker_and_the_default() -> None:
    plan = plan_of(
        paragraph(
            Span(text="By the default voice."),
            Span(text="By the guest.", speaker="GUEST"),
            Span(text="By the named voice.", speaker="Guest", voice="emma"),
            Span(text="By an unknown speaker.", speaker="Stranger"),
        ),
        options=replace(OPTIONS, speaker_voices={"guest ": "nova"}),
    )
    assert [chunk.voice for chunk in plan.chunks] == ["heart", "nova", "emma", "heart"]


def test_speakers_without_a_voice_are_listed_once() -> None:
    spans = [Span(text="Hi.", speaker=name) for name in ("Zoe", "Guest", "Ann", "Zoe")]
    script = script_of((paragraph(*spans, Span(text="Hi.", speaker="Bo", voice="emma")),))
    assert speakers_without_voice(script, {"guest": "nova"}) == ("Zoe", "Ann")


def test_the_language_of_a_block_wins_over_that_of_the_script() -> None:
    plan = plan_of(
        paragraph("Only English in here.", language="en"), paragraph("好的。"), language="zh"
    )
    assert [chunk.language for chunk in plan.chunks] == ["en", "zh"]


def test_a_heading_is_spoken_and_marked() -> None:
    plan = plan_of(heading("Chapter 1"), paragraph("It began."))
    assert [chunk.is_heading for chunk in plan.chunks] == [True, False]


def test_a_paragraph_of_symbols_is_a_scene_break_and_goes_with_the_text_before_it() -> None:
    plan = plan_of(paragraph("The end of a scene."), paragraph("***"), paragraph("A new one."))
    assert texts(plan) == ["The end of a scene. ***", "A new one."]
    assert pauses(plan) == [1900, 2600]


def test_symbols_at_the_start_of_a_chapter_go_with_the_text_after_them() -> None:
    first = (paragraph("One chapter of text."),)
    plan = plan_script(script_of(first, (paragraph("—"), paragraph("Two.")), first), OPTIONS)
    assert texts(plan) == ["One chapter of text.", "— Two.", "One chapter of text."]


def test_symbols_in_a_voice_of_their_own_go_with_a_neighbour() -> None:
    dots = Span(text="……", voice="bella")
    assert texts(plan_of(paragraph("He waited.", dots, "She left."))) == [
        "He waited. …… She left.",
    ]
    assert texts(plan_of(paragraph(dots, "She left the room."))) == ["…… She left the room."]


def test_a_chapter_of_symbols_owns_no_chunks() -> None:
    words = (paragraph("Some words to speak."),)
    plan = plan_script(script_of(words, (paragraph("***"),), words, (paragraph("…"),)), OPTIONS)
    assert [chapter.n_chunks for chapter in plan.chapters] == [1, 0, 1, 0]
    assert [chapter.first_chunk for chapter in plan.chapters] == [0, 1, 1, 2]


def test_a_script_without_words_is_refused_by_name() -> None:
    script = script_of((paragraph("* * *"),))
    source = Source(name="stars.txt", sha256="0", format="txt")
    with pytest.raises(InputError, match=r"stars\.txt: There is nothing to speak"):
        plan_script(script.model_copy(update={"sources": (source,)}), OPTIONS)

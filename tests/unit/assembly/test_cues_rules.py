from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.assembly.subtitles.cues import Cue, cues, too_fast
from pipeline.assembly.subtitles.style import CueStyle, for_language
from pipeline.assembly.subtitles.tokens import width
from pipeline.manifest.timeline import TimedChapter, TimedSentence, TimedWord, Timeline

LATIN, WIDE = for_language("en"), for_language("zh")

WORDS = st.sampled_from(
    ["a", "the", "of", "and", "sea,", "lamp.", "keeper", "“Who", "there?”", "extraordinarily", "—"]
)
LONG_WORDS = st.just("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten")
HAN = st.sampled_from(["海", "上", "灯塔", "守望", "者，", "灯。", "「谁」", "A4"])


def sentence(
    texts: list[str] | str,
    *,
    start_s: float = 0.0,
    word_s: float = 0.3,
    gap_s: float = 0.05,
    index: int = 0,
    chapter: int = 0,
    voice: str = "heart",
    is_heading: bool = False,
    glue: str = " ",
) -> TimedSentence:
    texts = texts.split() if isinstance(texts, str) else texts
    step = word_s + gap_s
    words = tuple(
        TimedWord(text=text, start_s=start_s + i * step, end_s=start_s + i * step + word_s)
        for i, text in enumerate(texts)
    )
    return TimedSentence(
        index=index,
        chapter=chapter,
        text=glue.join(texts),
        start_s=start_s,
        end_s=words[-1].end_s,
        words=words,
        chunks=(index,),
        voice=voice,
        is_heading=is_heading,
    )


def timeline(*sentences: TimedSentence, language: str = "en", tail_s: float = 1.0) -> Timeline:
    end_s = sentences[-1].end_s + tail_s
    first = {s.chapter: s.start_s for s in reversed(sentences)}
    starts = [0.0 if chapter == 0 else first[chapter] for chapter in sorted(first)]
    return Timeline(
        title="Book",
        language=language,
        duration_s=end_s,
        chapters=tuple(
            TimedChapter(title="Chapter", start_s=a, end_s=b) for a, b in pairwise([*starts, end_s])
        ),
        sentences=sentences,
    )


def texts(made: tuple[Cue, ...]) -> list[tuple[str, ...]]:
    return [cue.texts for cue in made]


@st.composite
def timelines(draw: st.DrawFn, word: st.SearchStrategy[str], language: str) -> Timeline:
    sentences, clock_s, chapter = [], draw(st.floats(0, 2)), 0
    glue = "" if language == "zh" else " "
    for index in range(draw(st.integers(1, 8))):
        if index:
            chapter += draw(st.booleans())
        made = sentence(
            draw(st.lists(word, min_size=1, max_size=40)),
            start_s=clock_s,
            word_s=draw(st.sampled_from([0.0, 0.04, 0.3, 1.1])),
            gap_s=draw(st.sampled_from([0.0, 0.05, 2.0])),
            index=index,
            chapter=chapter,
            voice=draw(st.sampled_from(["heart", "onyx"])),
            glue=glue,
        )
        clock_s = made.end_s + draw(st.sampled_from([0.0, 0.05, 0.4, 3.0]))
        sentences.append(made)
    return timeline(*sentences, language=language, tail_s=draw(st.floats(0.5, 3)))


def check_rules(made: tuple[Cue, ...], source: Timeline, style: CueStyle) -> None:
    """What must hold of the cues of every timeline."""
    for cue in made:
        assert 0 <= cue.start_ms < cue.end_ms <= source.duration_s * 1000
        assert 1 <= len(cue.lines) <= 2
        for line, text in zip(cue.lines, cue.texts, strict=True):
            assert width(text) <= style.max_columns or len(line) == 1
    for before, after in pairwise(made):
        assert before.end_ms <= after.start_ms
        assert before.chapter <= after.chapter
    spoken = "".join("".join(sentence.text.split()) for sentence in source.sentences)
    shown = "".join("".join("".join(cue.texts).split()) for cue in made)
    assert shown == spoken


@given(timelines(st.one_of(WORDS, LONG_WORDS), "en"))
def test_cues_keep_order_and_lines_and_lose_no_word(source: Timeline) -> None:
    check_rules(cues(source, LATIN), source, LATIN)


@given(timelines(HAN, "zh"))
def test_chinese_cues_keep_order_and_lines_and_lose_no_character(source: Timeline) -> None:
    check_rules(cues(source, WIDE), source, WIDE)


@given(timelines(WORDS, "en"))
def test_a_cue_has_one_voice_and_one_chapter(source: Timeline) -> None:
    def owners(made: tuple[Cue, ...]) -> list[tuple[int, str]]:
        return [(cue.chapter, cue.voice) for cue in made for line in cue.lines for _ in line]

    spoken = [(s.chapter, s.voice) for s in source.sentences for _ in s.words]
    assert owners(cues(source, LATIN)) == spoken


def test_a_line_breaks_after_punctuation() -> None:
    words = "Oil cost more than ever, which was robbery in daylight."
    assert texts(cues(timeline(sentence(words)), LATIN)) == [
        ("Oil cost more than ever,", "which was robbery in daylight.")
    ]


def test_a_line_breaks_before_a_conjunction_rather_than_after_it() -> None:
    words = "The keeper climbed the tower and found the lamp alight."
    (cue,) = cues(timeline(sentence(words)), LATIN)
    assert cue.texts[1].startswith("and ")


def test_chinese_is_set_without_spaces_and_sixteen_characters_a_line() -> None:
    words = list("守灯人每天晚上都要爬上一百一十二级台阶去点亮那盏灯")
    made = cues(timeline(sentence(words, glue="", word_s=0.2), language="zh"), WIDE)
    assert "".join("".join(cue.texts) for cue in made) == "".join(words)
    assert max(len(line) for cue in made for line in cue.texts) <= 16


def test_a_latin_word_inside_chinese_keeps_the_spacing_of_the_text() -> None:
    source = sentence(["我", "用", "iPhone", "拍照。"], glue="")
    source = source.model_copy(update={"text": "我用 iPhone拍照。"})
    assert texts(cues(timeline(source, language="zh"), WIDE)) == [("我用 iPhone拍照。",)]


def test_punctuation_that_no_word_carries_stays_in_the_cue() -> None:
    source = sentence(["Well", "yes"]).model_copy(update={"text": "“Well — yes!”"})
    assert texts(cues(timeline(source), LATIN)) == [("“Well — yes!”",)]


def test_a_short_cue_stands_for_five_sixths_of_a_second_when_there_is_room() -> None:
    (cue,) = cues(timeline(sentence(["No."], word_s=0.2)), LATIN)
    assert cue.end_ms - cue.start_ms == 834


def test_a_cue_leaves_two_frames_before_the_next() -> None:
    one = sentence(
        [
            "Nobody",
            "in",
            "the",
            "village",
            "had",
            "ever",
            "seen",
            "the",
            "lamp",
            "go",
            "out",
            "at",
            "night.",
        ]
    )
    other = sentence(["Onyx", "laughed."], start_s=one.end_s, voice="onyx", index=1)
    before, after = cues(timeline(one, other), LATIN)[-2:]
    assert after.start_ms - before.end_ms == 83


def test_no_cue_of_ordinary_speech_stands_longer_than_seven_seconds() -> None:
    made = cues(timeline(sentence(["slow"] * 30, word_s=0.9)), LATIN)
    assert max(cue.end_ms - cue.start_ms for cue in made) <= 7000


def test_a_cue_stays_for_the_reader_into_the_silence_that_follows() -> None:
    fast = sentence("extraordinarily quick speech is hard to read", word_s=0.05, gap_s=0.01)
    slow = sentence(["Then", "silence."], start_s=6.0, index=1)
    first = cues(timeline(fast, slow), LATIN)[0]
    assert first.end_ms > fast.end_s * 1000 + 1500
    assert 16 < first.columns_per_s <= LATIN.max_columns_per_s


def test_cues_that_speech_makes_too_fast_to_read_are_counted() -> None:
    words = ["extraordinarily", "quick", "speech"]
    one = sentence(words, word_s=0.1, gap_s=0.0)
    other = sentence(words, word_s=1.0, start_s=one.end_s, voice="onyx", index=1)
    assert too_fast(cues(timeline(one, other), LATIN), LATIN) == 1


def test_short_sentences_of_one_voice_share_a_cue() -> None:
    one = sentence(["No."], word_s=0.2)
    other = sentence(["Never."], start_s=0.4, word_s=0.3, index=1)
    assert texts(cues(timeline(one, other), LATIN)) == [("No. Never.",)]


def test_a_heading_shares_its_cue_with_nothing() -> None:
    one = sentence(["One."], word_s=0.2, is_heading=True)
    other = sentence(["Rain."], start_s=0.4, word_s=0.2, index=1)
    assert len(cues(timeline(one, other), LATIN)) == 2


def test_a_long_silence_inside_a_sentence_ends_the_cue() -> None:
    source = sentence(["Wait.", "Now."], word_s=0.3, gap_s=4.0)
    assert texts(cues(timeline(source), LATIN)) == [("Wait.",), ("Now.",)]


def test_a_cue_does_not_outlive_its_chapter() -> None:
    one = sentence(["End."], word_s=0.1)
    other = sentence(["Start."], start_s=0.3, index=1, chapter=1)
    first, second = cues(timeline(one, other), LATIN)
    assert first.end_ms <= second.start_ms == 300

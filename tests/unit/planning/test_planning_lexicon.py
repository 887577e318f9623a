"""The lexicon: what an entry matches, and what editing one costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import names
from pipeline.errors import InputError
from pipeline.manifest.plan import Chunk, Plan
from pipeline.manifest.script import Block, Chapter, Script, Span
from pipeline.planning import lexicon as lexicons
from pipeline.planning.lexicon import Lexicon, load
from pipeline.planning.lexicon_entry import parse_entry
from pipeline.planning.lexicon_rows import Row
from pipeline.planning.plan import PlanOptions, plan_script


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "words.csv"


def lexicon(csv: Path, *rows: str, header: str = "word,respelling") -> Lexicon:
    csv.write_text("\n".join([header, *rows]), encoding="utf-8")
    return load(csv)


def said(entries: Lexicon, text: str, language: str = "en") -> list[tuple[str, str | None]]:
    """What is matched, and how it is respelled."""
    readings = entries.readings(text, language)
    return [(text[r.start : r.end], r.respelling) for r in readings]


def matched(entries: Lexicon, text: str, language: str = "en") -> list[str]:
    return [word for word, _ in said(entries, text, language)]


def test_a_word_is_respelled_wherever_it_stands(csv: Path) -> None:
    entries = lexicon(csv, "GIF,jif")
    assert said(entries, "A GIF (or GIF).") == [("GIF", "jif"), ("GIF", "jif")]


def test_an_empty_lexicon_changes_nothing() -> None:
    assert Lexicon().readings("A GIF.", "en") == ()


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("can", "I can, but can't: canned cans. Can!", ["can", "Can"]),
        ("can't", "I can’t and can't.", ["can’t", "can't"]),
        ("Anna", "Anna's hat, Anna’s cat, Annabel", ["Anna", "Anna"]),
        ("Brien", "O'Brien is not Brien", ["Brien"]),
        ("Eiffel", "la tour d'Eiffel, l’Eiffel", ["Eiffel", "Eiffel"]),
        ("e-mail", "E-mail me; e‑mail, mail", ["E-mail", "e‑mail"]),
        ("Paris", "Paris-based, post-Paris, Parisian", ["Paris", "Paris"]),
        ("New York", "New York, New\u00a0York, New Yorker", ["New York", "New\u00a0York"]),
        ("C++", "C++, C+", ["C++"]),
        (".NET", "I use .NET here", [".NET"]),
        ("5G", "5G but 15G", ["5G"]),
        ("café", "the café, cafés", ["café"]),
        ("&", "Fish & chips", ["&"]),
    ],
)
def test_only_whole_words_match(csv: Path, word: str, text: str, found: list[str]) -> None:
    assert matched(lexicon(csv, f"{word},x"), text) == found


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("重庆", "我在重庆住，重庆市", ["重庆", "重庆"]),
        ("API", "这个API很好，APIs不好", ["API"]),
        ("3D打印", "他用3D打印机", ["3D打印"]),
        ("東京", "東京へ", ["東京"]),
    ],
)
def test_chinese_and_japanese_words_need_no_spaces_around(
    csv: Path, word: str, text: str, found: list[str]
) -> None:
    assert matched(lexicon(csv, f"{word},x"), text, "zh") == found


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("polish,x,", ["polish", "Polish", "POLISH"]),
        ("Polish,x,", ["Polish"]),
        ("Polish,x,smart", ["Polish"]),
        ("polish,x,match", ["polish"]),
        ("Polish,x,ignore", ["polish", "Polish", "POLISH"]),
    ],
)
def test_case_matters_if_the_word_has_capitals_or_the_rule_says_so(
    csv: Path, row: str, found: list[str]
) -> None:
    entries = lexicon(csv, row, header="word,respelling,case")
    assert matched(entries, "polish Polish POLISH") == found


def test_the_longest_match_wins_then_the_first_entry(csv: Path) -> None:
    entries = lexicon(
        csv,
        "York,,a,",
        "New York,,b,",
        ",N\\w+ York,c,",
        "York City,,d,",
        header="word,regex,respelling,language",
    )
    assert said(entries, "New York, New York City, York") == [
        ("New York", "b"),
        ("York City", "d"),
        ("York", "a"),
    ]


def test_a_regex_may_use_its_groups_and_has_its_own_case(csv: Path) -> None:
    entries = lexicon(csv, r"\bNo\. (\d+),number \1", header="regex,respelling")
    assert said(entries, "No. 5 or no. 6") == [("No. 5", "number 5")]


def test_a_respelling_that_comes_out_empty_leaves_the_word_as_written(csv: Path) -> None:
    entries = lexicon(csv, r"(x)?yz,\1", header="regex,respelling")
    assert said(entries, "yz xyz") == [("yz", "yz"), ("xyz", "x")]


def test_an_entry_with_a_language_keeps_to_it(csv: Path) -> None:
    entries = lexicon(csv, "Paris,pa-REE,fr-FR", header="word,respelling,language")
    assert matched(entries, "Paris", "fr") == ["Paris"]
    assert matched(entries, "Paris", "en") == []


def test_phonemes_are_passed_on_without_their_slashes(csv: Path) -> None:
    entries = lexicon(csv, "hibari,/hibˈɑɹi/", header="word,phonemes")
    (reading,) = entries.readings("The hibari sings.", "en")
    assert (reading.start, reading.end) == (4, 10)
    assert (reading.respelling, reading.phonemes) == (None, "hibˈɑɹi")


def test_a_runaway_regex_is_stopped_and_named(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicons, "REGEX_TIMEOUT_S", 0.05)
    entries = lexicon(csv, "(a|aa)+$,x", header="regex,respelling")
    with pytest.raises(InputError, match=r"words\.csv, line 2: The regex .* takes more than"):
        entries.readings("a" * 60 + "!", "en")


def plan_with(entries: Lexicon) -> Plan:
    texts = [
        "Anna Liddell came home.",
        "Nobody saw the GIF.",
        "She made the tea at 5 p.m.",
        "A GIF!",
    ]
    blocks = tuple(Block(kind="paragraph", spans=(Span(text=text),)) for text in texts)
    script = Script(title="B", language="en", chapters=(Chapter(title="T", blocks=blocks),))
    return plan_script(script, PlanOptions(voice="heart", lexicon=entries))


def key(chunk: Chunk) -> str:
    return names.take_key(
        chunk, voice_revision="v", engine_fingerprint="e", speed=1.0, seed=0, take=0
    )


def test_editing_an_entry_changes_only_the_chunks_with_the_word(csv: Path) -> None:
    before = plan_with(lexicon(csv, "GIF,jif", "Liddell,LID-ul", "unused,x"))
    after = plan_with(lexicon(csv, "GIF,ghif", "Liddell,LID-ul", "unused,y"))
    changed = [a.text for b, a in zip(before.chunks, after.chunks, strict=True) if key(b) != key(a)]
    assert changed == ["Nobody saw the GIF.", "A GIF!"]


def test_the_order_of_entries_that_do_not_meet_does_not_matter(csv: Path) -> None:
    one = plan_with(lexicon(csv, "GIF,jif", "Liddell,LID-ul"))
    assert plan_with(lexicon(csv, "Liddell,LID-ul", "GIF,jif")) == one


few = settings(max_examples=60, deadline=None)
words = st.text(alphabet="aAb'-好 重+.", min_size=1, max_size=5).map(str.strip).filter(bool)


@few
@given(st.lists(words, max_size=8), st.lists(words, max_size=12).map(" ".join))
def test_readings_are_in_order_and_never_overlap(entries: list[str], text: str) -> None:
    rows = [Row(n, {"word": word, "respelling": "x"}) for n, word in enumerate(entries)]
    made = Lexicon(tuple(parse_entry(Path("words.csv"), row) for row in rows))
    ends = [(reading.start, reading.end) for reading in made.readings(text, "en")]
    flat = [place for both in ends for place in both]
    assert flat == sorted(flat)
    assert all(start < end <= len(text) for start, end in ends)


@few
@given(words)
def test_an_entry_matches_its_own_word(word: str) -> None:
    entry = parse_entry(Path("words.csv"), Row(1, {"word": word, "respelling": "x"}))
    for text in (word, f"“{word},”", f"a {word} b"):
        assert word in matched(Lexicon((entry,)), text)

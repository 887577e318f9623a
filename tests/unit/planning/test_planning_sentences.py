"""Sentences: what ends one and what does not."""

from __future__ import annotations

import pytest

from pipeline.planning.sentences import sentences


def cut(marked: str, language: str) -> None:
    """Check that the text without its | is cut where the | are."""
    wanted = marked.split("|")
    assert sentences("".join(wanted), language) == wanted


@pytest.mark.parametrize(
    "marked",
    [
        "Dr. Ames met Mr. Lee. |He left.",
        "Mrs. Dalloway, Prof. Plum and Mme. Curie came. |So did St. Paul.",
        "Bob vs. The World is a film. |It is long.",
        "See e.g. page 12, i.e. the U.S. version. |No. 5 is on p. 12.",
        "I live in the U.S. |He does too.",
        "It is in ch. 5, approx. 3 pages in. |Read it.",
        "J. K. Rowling wrote it. |J.R.R. Tolkien did not.",
        "Come at 5 p.m. Monday. |He left at 6 a.m. |It was late.",
        "It starts at 9 a.m. EST. |Be there.",
        "It cost $3.50. |Pi is 3.14159, not 1,250.",
        "Version 1.2.3 is on https://example.com/a.b?c=d. |Get it.",
        "Is it? |No. |He took No. 5, not No. IV.",
        "He came on Thurs. morning. |iPhone sales rose.",
        "At max. speed it took 2 hrs. of work. |Then the Govt. of India came.",
        "Hello there. |how are you. |i am fine.",
        "1. First of all, eat. |2. Then sleep.",
    ],
)
def test_a_dot_inside_a_sentence_does_not_end_it(marked: str) -> None:
    cut(marked, "en")


@pytest.mark.parametrize(
    "marked",
    [
        '"Stop!" he said. |"Why?" asked Tom. |"Go." |He went.',
        "“Is it?” she said. |‘What?’ cried they. |“Yes.” |“No.”",
        "'Why?' she asked. |It's what he can't say.",
        '"I am here. |You are not," he said. |Then he left.',
        "He left (it was late. |Very late). |She stayed. |[Note.] |Next.",
        "“Wait… what?” he said. |“I—” she began.",
        '"...and so," he said. |What?! |No.',
        "Yahoo! is big. |Really!! |Yes.",
    ],
)
def test_a_dialogue_tag_stays_with_what_is_said(marked: str) -> None:
    cut(marked, "en")


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("zh", "你好。|你是谁？|我是小明！|他走了……真的。"),
        ("zh", "“你去哪里？”他问。|“回家。”他说。|「好。|我去。」|『真的？』|我不信；算了。"),
        ("zh", "“你好。”|第二天他走了。|“再见。”|“好的。”|（完。）"),
        ("zh", "这个API很好用。|It works. |我用了3.5元。"),
        ("ja", "「元気ですか？」と彼は言った。|「うん。」|「そう。」"),
        ("fr", "M. Dupont est là. |Il a dit : « Bonjour. » |Puis il partit. |« Non ! » dit-il."),
        ("de", "Er kam z. B. am 3. Mai. |„Nein!“, sagte er. |„Doch.“ |Dr. Müller ging."),
        ("es", "¿Qué? |¡No! |Sr. López vino."),
        ("hi", "यह है। |वह है।"),
        ("ar", "ما هذا؟ |نعم."),
        ("xx", "One thing. |Another."),
    ],
)
def test_other_languages_have_their_own_stops(language: str, marked: str) -> None:
    cut(marked, language)


def test_symbols_and_emoji_go_with_a_sentence() -> None:
    cut("😀 Hello!! |🎉 Bye 👍🏽. |Go. *** …", "en")


def test_a_text_without_words_is_one_piece() -> None:
    assert sentences("* * * … !", "en") == ["* * * … !"]

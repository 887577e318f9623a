"""Lexicon files: what can be read, and what the errors say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.planning.lexicon import load


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "word,respelling\nGIF,jif\n"),
        ("bom.csv", "\ufeffword,respelling\r\nGIF,jif\r\n"),
        ("semicolon.csv", "Word;Respelling\nGIF;jif\n"),
        ("tab.tsv", "word\trespelling\nGIF\tjif\n"),
        ("more.csv", 'case,word,phonemes,respelling\n\n,"GIF",,"jif"\n,,,\n'),
        ("a.yaml", "- word: GIF\n  respelling: jif\n"),
        ("a.YML", "\ufeff# my words\n- {word: GIF, respelling: jif, case: ''}\n"),
    ],
)
def test_csv_and_yaml_say_the_same(tmp_path: Path, name: str, content: str) -> None:
    (entry,) = load(written(tmp_path, name, content)).entries
    assert (entry.source, entry.respelling, entry.phonemes) == ("GIF", "jif", None)


def test_yaml_words_stay_as_written(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.yaml", "- {word: no, respelling: 1.50}\n- {word: 010, respelling: x}"
    )
    assert [(e.source, e.respelling) for e in load(path).entries] == [("no", "1.50"), ("010", "x")]


def test_an_empty_file_is_an_empty_lexicon(tmp_path: Path) -> None:
    assert load(written(tmp_path, "a.csv", "")).entries == ()
    assert load(written(tmp_path, "a.yaml", "# nothing yet\n")).entries == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word,say\nGIF,jif", r"line 1: Unknown column 'say'\. The columns are: word, regex"),
        ("word,word\nGIF,jif", r"line 1: The column 'word' comes twice\."),
        ("word,respelling\nGIF,j,if", r"line 2: There are 3 cells in the row but 2 columns\. Put"),
        ('word,respelling\nGIF,"jif', r"line 2: Not a CSV row: .*\. Close every quotation mark"),
        ("word,respelling\n\nGIF,", r"line 3: The entry has neither of respelling and phonemes"),
        ("word,respelling\n,jif", r"line 2: The entry has neither of word and regex\. Fill in"),
        ("word,regex,respelling\na,b,c", r"line 2: The entry has both of word and regex\."),
        ("word,respelling,phonemes\na,b,c", r"line 2: The entry has both of respelling and"),
        ("word,respelling,case\na,b,upper", r"line 2: Unknown case rule 'upper'\. Write one of"),
        ("word,respelling\na,b\nGIF,x\na,c", r"line 4: 'a' is already in line 2\. Remove"),
        ("word,respelling,case\nA,b,ignore\na,c,", r"line 3: 'a' is already in line 2\."),
        ("regex,respelling\n(a,x", r"line 2: Not a regex: missing \).*\. Correct it\."),
        ("regex,respelling\na*,x", r"line 2: The regex 'a\*' also matches no text at all\."),
        ("regex,respelling\n(a),\\2", r"line 2: The respelling does not fit the regex"),
        ("word,phonemes\na,//", r"line 2: The phonemes are empty or have a slash inside"),
        ("word,phonemes\na,x/y", r"line 2: The phonemes are empty or have a slash inside"),
        ('word,respelling\n"two\nlines",a\nb,', r"line 4: The entry has neither of respelling"),
    ],
)
def test_a_wrong_csv_is_refused_with_line_and_remedy(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(InputError, match=rf"words\.csv, {message}"):
        load(written(tmp_path, "words.csv", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("word: GIF", r"line 1: A YAML lexicon is a list of entries\. Write each as"),
        ("- GIF\n- word: a", r"line 1: A YAML lexicon is a list of entries"),
        ("- word: [a]\n  respelling: b", r"line 1: A YAML lexicon is a list of entries"),
        ("- word: a\n  respeling: b", r"line 2: Unknown column 'respeling'\."),
        ("- word: a\n  word: b", r"line 2: The entry has 'word' twice\."),
        ("- word: a\n\n- word: b\n\tc: d", r"line 4: Not YAML: .*\. Indent with spaces"),
        ("- word: a\n  respelling: b\n- word: a\n  respelling: c", r"line 3: 'a' is already in"),
        ("- word: 'a\n", r"line 2: Not YAML: "),
        ("- word: a\x00", r"Not YAML: "),
    ],
)
def test_a_wrong_yaml_is_refused_with_line_and_remedy(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load(written(tmp_path, "words.yaml", content))


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, "words.csv", "word,respelling\ncafé,x\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"line 2: The text is not UTF-8\. Save the file as"):
        load(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"words\.xlsx: A lexicon is a CSV or YAML file"):
        load(written(tmp_path, "words.xlsx", "PK"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: Cannot be read: No such file"):
        load(tmp_path / "none.csv")

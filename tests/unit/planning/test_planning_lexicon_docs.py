"""The examples of docs/lexicon.md work as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import regex
from hibari import Hibari

from pipeline.planning.lexicon import Lexicon, load

PAGE = Path(__file__).parents[3] / "docs" / "lexicon.md"


def example(kind: str, folder: Path) -> Lexicon:
    (content,) = regex.findall(rf"```{kind}\n(.*?)```", PAGE.read_text("utf-8"), regex.DOTALL)
    path = folder / f"words.{kind}"
    path.write_text(content, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("csv", ["Siobhan", "nginx", "hibari", "Wodehouse"]),
        ("yaml", ["Siobhan", "hibari", "No. 5"]),
    ],
)
def test_the_examples_match_what_they_say(kind: str, words: list[str], tmp_path: Path) -> None:
    text = "Siobhan, nginx, hibari, Wodehouse, No. 5"
    readings = example(kind, tmp_path).readings(text, "en")
    assert [text[r.start : r.end] for r in readings if text[r.start : r.end] in words] == words


def test_the_engine_says_the_readings_as_they_are_meant(tmp_path: Path) -> None:
    engine = Hibari(threads=1)
    siobhan, _, *phonetic = example("csv", tmp_path).entries
    assert siobhan.respelling is not None
    assert engine.phonemize(siobhan.respelling) == ["ʃi vˈɔn"]
    for entry in phonetic:
        assert engine.phonemize(f"[{entry.source}](/{entry.phonemes}/)") == [entry.phonemes]

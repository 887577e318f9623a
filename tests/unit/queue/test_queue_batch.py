from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError
from producer.queue import batch
from producer.queue.batch import Line


def manifest(folder: Path, *lines: object) -> Path:
    path = folder / "jobs.jsonl"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def only(path: Path) -> Line:
    ((_, line),) = batch.read(path)
    assert isinstance(line, Line), line
    return line


def test_relative_paths_are_looked_for_beside_the_manifest(tmp_path: Path) -> None:
    options: dict[str, Any] = {"lexicon": "names.csv", "speed": 1.1}
    path = manifest(tmp_path, {"input": "a/b.epub", "output": "out", "options": options})
    line = only(path)
    assert line.input == str(tmp_path / "a" / "b.epub")
    assert line.output == str(tmp_path / "out")
    assert line.flags == {"lexicon": str(tmp_path / "names.csv"), "speed": 1.1}


def test_absolute_paths_and_addresses_stay_as_they_are(tmp_path: Path) -> None:
    line = only(manifest(tmp_path, {"input": "s3://in/a.epub", "output": "s3://out/x"}))
    assert (line.input, line.output) == ("s3://in/a.epub", "s3://out/x")
    assert only(manifest(tmp_path, {"input": "/a.epub"})).input == "/a.epub"


def test_the_voice_is_an_option_like_others(tmp_path: Path) -> None:
    line = only(manifest(tmp_path, {"input": "a", "voice": "emma", "options": {"seed": 3}}))
    assert line.flags == {"seed": 3, "voice": "emma"}


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_text('{"input": "a", "options": {"title": "one\u2028two"}}\n', encoding="utf-8")
    assert only(path).options == {"title": "one\u2028two"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"input": ', "Invalid JSON"),
        ("[]", "object"),
        ({"output": "x"}, "input: Field required"),
        ({"input": "a", "ouput": "x"}, 'there is no field "ouput"; there are: input, output'),
        ({"input": "a", "priority": "urgent"}, "'high', 'normal' or 'low'"),
        ({"input": "a", "options": {"speed": None}}, "options.speed"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(
    tmp_path: Path, line: object, words: str
) -> None:
    path = manifest(tmp_path, {"input": "a"}, "", line, {"input": "c"})
    (_, first), (number, wrong), (_, last) = batch.read(path)
    assert isinstance(first, Line)
    assert isinstance(last, Line)
    assert number == 3
    assert isinstance(wrong, InputError)
    assert f"{path}, line 3: " in str(wrong)
    assert words in str(wrong)


def test_an_empty_or_unreadable_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        list(batch.read(manifest(tmp_path, "", " ")))
    with pytest.raises(InputError, match="cannot be read"):
        list(batch.read(tmp_path / "nowhere.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="not UTF-8"):
        list(batch.read(tmp_path / "latin.jsonl"))

"""Lexicon files, CSV or YAML, → rows of named cells with their line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import yaml

from pipeline.errors import InputError

COLUMNS = ("word", "regex", "language", "respelling", "phonemes", "case")
_KNOWN = f"The columns are: {', '.join(COLUMNS)}."


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one entry that are not empty, by column."""

    line: int
    cells: Mapping[str, str]


def read_rows(path: Path) -> list[Row]:
    """Read a lexicon file.

    Raises:
        InputError: It is not a readable CSV or YAML lexicon.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise InputError(
            path, "A lexicon is a CSV or YAML file.", remedy="Name it .csv, .tsv, .yaml or .yml."
        )
    return list(parse(path, _text(path)))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            path, f"Cannot be read: {error.strerror}.", remedy="Check the path."
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            path,
            "The text is not UTF-8.",
            remedy="Save the file as UTF-8.",
            place=f"line {data.count(bytes([10]), 0, error.start) + 1}",
        ) from error


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            place, line = line, reader.line_num + 1
            if not any(map(str.strip, cells)):
                continue
            if header is None:
                header = _header(path, cells, place)
            else:
                yield _csv_row(path, header, cells, place)
    except csv.Error as error:
        raise InputError(
            path,
            f"Not a CSV row: {error}.",
            remedy='Close every quotation mark, and double those inside a cell ("").',
            place=f"line {line}",
        ) from error


def _delimiter(text: str) -> str:
    """Return what separates the columns of the first line that says anything."""
    first = text.lstrip().split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _header(path: Path, cells: list[str], line: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        _check_column(path, name, line)
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InputError(
            path,
            f"The column {min(repeated)!r} comes twice.",
            remedy="Keep one of them.",
            place=f"line {line}",
        )
    return names


def _csv_row(path: Path, header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) > len(header):
        raise InputError(
            path,
            f"There are {len(cells)} cells in the row but {len(header)} columns.",
            remedy="Put quotation marks around a cell with a comma in it.",
            place=f"line {line}",
        )
    named = zip(header, map(str.strip, cells), strict=False)
    return Row(line, {name: cell for name, cell in named if cell})


def _yaml_rows(path: Path, text: str) -> Iterator[Row]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            path,
            f"Not YAML: {getattr(error, 'problem', None) or error}.",
            remedy="Indent with spaces, and put quotation marks around special characters.",
            place=f"line {mark.line + 1}" if mark else None,
        ) from error
    if root is None:
        return
    if not isinstance(root, yaml.SequenceNode):
        raise _not_a_list(path, root)
    for node in root.value:
        yield _yaml_row(path, node)


def _yaml_row(path: Path, node: yaml.Node) -> Row:
    """Read an entry from the node, so that `no` and `1.50` stay what is written."""
    if not isinstance(node, yaml.MappingNode):
        raise _not_a_list(path, node)
    cells: dict[str, str] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise _not_a_list(path, key)
        _check_column(path, key.value, line)
        if key.value in cells:
            raise InputError(
                path,
                f"The entry has {key.value!r} twice.",
                remedy="Keep one of them.",
                place=f"line {line}",
            )
        cells[key.value] = value.value.strip()
    return Row(node.start_mark.line + 1, {name: cell for name, cell in cells.items() if cell})


def _not_a_list(path: Path, node: yaml.Node) -> InputError:
    return InputError(
        path,
        "A YAML lexicon is a list of entries.",
        remedy="Write each as '- word: GIF' with 'respelling: jif' below it.",
        place=f"line {node.start_mark.line + 1}",
    )


def _check_column(path: Path, name: str, line: int) -> None:
    if name not in COLUMNS:
        raise InputError(path, f"Unknown column {name!r}.", remedy=_KNOWN, place=f"line {line}")


_PARSERS: Mapping[str, Callable[[Path, str], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".yaml": _yaml_rows,
    ".yml": _yaml_rows,
}

"""A manifest of jobs: one JSON object a line, each a job of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from pipeline.errors import InputError
from pipeline.manifest.base import Record
from pipeline.manifest.job import Priority
from producer.queue.inputs import is_remote

#: Options that name a file; relative ones are looked for beside the manifest.
PATHS = ("lexicon", "models")


class Line(Record):
    """What a line says; what it leaves out is as on the command line."""

    input: str
    output: str | None = None
    job_id: str | None = None
    #: The same as `options.voice`.
    voice: str | None = None
    priority: Priority | None = None
    deadline: str | None = None
    webhook: str | None = None
    #: Options of `submit` by name: `{"speed": 1.1, "formats": "mp3"}`.
    options: dict[str, str | int | float | list[str]] = Field(default_factory=dict)

    @property
    def flags(self) -> dict[str, Any]:
        """The options, the voice among them."""
        return {**self.options, **({} if self.voice is None else {"voice": self.voice})}


def read(path: Path) -> Iterator[tuple[int, Line | InputError]]:
    """Yield the number of each line and what it says, or what is wrong with it.

    Raises:
        InputError: The manifest cannot be read at all, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(
            path, f"The manifest cannot be read: {problem}.", remedy="Check the path."
        ) from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise InputError(path, "The manifest is empty.", remedy="Write a job a line into it.")
    for number, line in lines:
        yield number, _line(path, number, line)


def _line(path: Path, number: int, text: str) -> Line | InputError:
    try:
        line = Line.model_validate_json(text)
    except ValidationError as error:
        return InputError(path, _problem(error), remedy="Correct this line.", place=place(number))
    moved = {
        name: str(path.parent / value)
        for name, value in line.options.items()
        if name in PATHS and isinstance(value, str)
    }
    beside = {
        name: str(path.parent / value)
        for name, value in (("input", line.input), ("output", line.output))
        if value and not is_remote(value)
    }
    return line.model_copy(update={**beside, "options": {**line.options, **moved}})


def place(number: int) -> str:
    """Return where a line is, for messages."""
    return f"line {number}"


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"there is no field {json.dumps(field)}; there are: {', '.join(Line.model_fields)}."
    return f"{field}: {first['msg']}." if field else f"{first['msg']}."

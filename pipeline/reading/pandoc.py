"""The pandoc process: text in, its syntax tree out, in a sandbox and under a time limit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pypandoc

from pipeline.errors import InputError, MissingToolError

TIME_LIMIT_S = 300
#: What we have Markdown mean. Off is what could swallow words (raw TeX, citations, maths, tasks)
#: or change them (smart punctuation).
_MARKDOWN = (
    "markdown-smart-raw_tex-tex_math_dollars-citations-latex_macros-raw_attribute-task_lists"
    "-implicit_header_references-implicit_figures-yaml_metadata_block-fancy_lists-example_lists-subscript"
    "-superscript"
)
_READERS = {"markdown": _MARKDOWN, "rst": "rst-smart"}

Node = dict[str, Any]


def parse(data: bytes, source_format: str, path: Path) -> Node:
    """Return pandoc's syntax tree of a text (UTF-8) or an archive.

    Raises:
        InputError: Pandoc cannot read it.
        MissingToolError: There is no pandoc.
    """
    reader = _READERS.get(source_format, source_format)
    command = [_program(), "--sandbox", "--quiet", "-f", reader, "-t", "json"]
    remedy = "Open it in its own program, save it again, or give another format."
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=TIME_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        problem = f"Reading it took more than {TIME_LIMIT_S} s."
        raise InputError(path, problem, remedy=remedy) from error
    if done.returncode:
        words = " ".join(done.stderr.decode(errors="replace").split())[:300]
        raise InputError(path, f"It cannot be read as {source_format} ({words}).", remedy=remedy)
    try:
        tree: Node = json.loads(done.stdout)
    except RecursionError as error:
        problem = "Its parts are nested too deeply."
        raise InputError(path, problem, remedy="Save it again in a simpler form.") from error
    return tree


def _program() -> str:
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError as error:
        remedy = "Install the Python package pypandoc-binary, or pandoc itself."
        raise MissingToolError(f"pandoc is not installed. {remedy}") from error

"""The pandoc process: text in, its syntax tree out, in a sandbox and within limits."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypandoc

from pipeline.errors import InputError, MissingToolError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost; a hostile one must not take the machine down."""

    time_s: float = 300.0
    memory_mb: int = 3000


#: Pandoc needs about 400 bytes of memory for each byte of HTML: large books go in batches.
BATCH_BYTES = 400_000
#: Batches at once.
N_WORKERS = 2
#: The exit status of a Haskell program that ran out of the memory it was given.
_HEAP_OVERFLOW = 251
#: A private character that stands for a space inside a paragraph of HTML: pandoc makes an element
#: of every word, and so takes twice as long.
JOINT = "\ue000"
#: What we have Markdown mean. Off is what could swallow words (raw TeX, citations, maths, tasks)
#: or change them (smart punctuation).
_MARKDOWN = (
    "markdown-smart-raw_tex-tex_math_dollars-citations-latex_macros-raw_attribute-task_lists"
    "-implicit_header_references-implicit_figures-yaml_metadata_block-fancy_lists-example_lists-subscript"
    "-superscript"
)
_READERS = {"markdown": _MARKDOWN, "rst": "rst-smart"}
#: A space between two words in pandoc's JSON; what it joins must be two words.
_SPACE = re.compile(
    rb'(?<!"t":"Space)(?<!"t":"SoftBreak)(?<!"t":"LineBreak)"\},\{"t":"Space"\},\{"t":"Str","c":"'
)
_REMEDY = "Open it in its own program, save it again, or give another format."

Node = dict[str, Any]
_DEFAULT = Limits()


def parse(
    data: bytes,
    source_format: str,
    path: Path,
    *,
    limits: Limits = _DEFAULT,
    program: str | None = None,
) -> Node:
    """Return pandoc's syntax tree of a text (UTF-8) or an archive.

    Raises:
        InputError: Pandoc cannot read it, or not within the limits.
        MissingToolError: There is no pandoc.
        RecursionError: Its parts are nested too deeply.
    """
    reader = _READERS.get(source_format, source_format)
    memory = ["+RTS", f"-M{limits.memory_mb}m", "-RTS"]
    options = ["--sandbox", "--quiet", "-f", reader, "-t", "json"]
    done = _run([program or _program(), *memory, *options], data, path, limits)
    if done.returncode:
        words = " ".join(done.stderr.decode(errors="replace").split())[:300]
        raise InputError(path, f"It cannot be read as {source_format} ({words}).", remedy=_REMEDY)
    # Words that stand together become one element: a large book takes half the memory.
    tree: Node = json.loads(_SPACE.sub(b" ", done.stdout.replace(JOINT.encode(), b" ")))
    return tree


def parse_pages(pages: Iterable[str], path: Path) -> list[Node]:
    """Return the blocks of pages of HTML, one after the other.

    Raises:
        InputError: Pandoc cannot read them, or not within the limits.
        MissingToolError: There is no pandoc.
        RecursionError: Its parts are nested too deeply.
    """
    with ThreadPoolExecutor(N_WORKERS) as pool:
        trees = pool.map(lambda batch: parse(batch, "html", path), _batches(pages))
        return [block for tree in trees for block in tree["blocks"]]


def joined(text: str) -> str:
    """Return running text of HTML with its single spaces as joints."""
    return re.sub(r"(?<=\S) (?=\S)", JOINT, text)


def _batches(pages: Iterable[str]) -> Iterator[bytes]:
    batch = b""
    for page in pages:
        batch += page.encode()
        if len(batch) >= BATCH_BYTES:
            yield batch
            batch = b""
    if batch:
        yield batch


def _run(
    command: list[str], data: bytes, path: Path, limits: Limits
) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=limits.time_s
        )
    except subprocess.TimeoutExpired as error:
        problem = f"Reading it took more than {limits.time_s:g} s."
        raise InputError(path, problem, remedy=_REMEDY) from error
    if done.returncode == _HEAP_OVERFLOW:
        problem = f"Reading it needs more than {limits.memory_mb} MB of memory."
        raise InputError(path, problem, remedy="Split it, or save it in a simpler form.")
    return done


def _program() -> str:
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError as error:
        remedy = "Install the Python package pypandoc-binary, or pandoc itself."
        raise MissingToolError(f"pandoc is not installed. {remedy}") from error

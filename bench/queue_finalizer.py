"""The most memory a finalizer takes: for a book of two hours, and for one of twenty.

    python -m bench.queue_finalizer [--hours 2 20]

Books are hummed by the engine `silent`, in a language whose words are timed at no cost, and put
together with the usual profile, formats and subtitles. Sentences are numbered: equal ones would
share a take, which those of a real book seldom do. Memory is that of the finalizer and of all that
it starts, from its first moment on.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

from bench import prose, table
from bench.memory import PeakMemory
from bench.queue_stack import Stack, up

SENTENCE_END = re.compile(r"(?<!Dr)\.(?=\s)")
OPTIONS = ("--engine", "silent", "--check", "off", "--language", "it")


def finished(stack: Stack, book: Path) -> dict[str, Any]:
    """Have a book made; return what is known of it."""
    command = ("submit", book, "--output", "s3://voxmill/out", "--job-id", "book", *OPTIONS)
    stack.voxmill(*command, "--wait")
    shown: dict[str, Any] = json.loads(stack.voxmill("jobs", "show", "book", "--json"))
    return shown


def numbered(text: str) -> str:
    """Make every sentence of a text unlike the others."""
    numbers = count(1)
    return SENTENCE_END.sub(lambda _: f", {next(numbers)}.", text)


def measure(hours: float) -> dict[str, Any]:
    """Measure a book of a length, with a finalizer that has done nothing before."""
    table.note(f"a book of {hours:g} hours")
    with tempfile.TemporaryDirectory() as folder, up(2) as stack:
        book = Path(folder) / "book.md"
        prose.write_book(book, minutes=60 * hours, seed=7, chapters=max(1, round(2 * hours)))
        text = numbered(book.read_text(encoding="utf-8"))
        book.write_text(text, encoding="utf-8")
        memory = PeakMemory(stack.pid("finalizer"))
        memory.start()
        started_s = time.perf_counter()
        job = finished(stack, book)
        wall_s = time.perf_counter() - started_s
    return {
        "words": len(text.split()),
        "chunks": job["chunks"],
        "audio_h": job["duration_s"] / 3600,
        "peak_mb": memory.peak_mb,
        "wall_s": wall_s,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[2.0, 20.0])
    rows = [measure(hours) for hours in parser.parse_args().hours]
    table.show("memory of a finalizer", rows)
    print(table.save("queue_finalizer", {"books": rows}))


if __name__ == "__main__":
    main()

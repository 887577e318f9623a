"""`voxmill verify`: finished files, checked again from the outside."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.run.verify import Verified

#: Exit code when something is not as it should be; as for a render with flagged chunks.
PROBLEMS = 3


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What render --out wrote.")],
    json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
) -> None:
    """Check finished files again, and listen to every sentence.

    Bytes, length, levels and chapters are compared with the receipt, and the words with what an
    independent transcript hears.
    Exit codes: 0 all is well, 3 something is missing or changed.
    """
    import os

    from pipeline.models import resolve
    from pipeline.models.whisper import Whisper
    from pipeline.run.verify import verify as run
    from pipeline.settings import Settings
    from producer.cli.progress import steps

    settings = Settings()
    whisper = Whisper(resolve.model_dir("whisper-base", settings=settings), os.cpu_count() or 1)
    with steps("listening") as progress:
        found = run(folder, whisper, progress)
    if json:
        typer.echo(jsonlib.dumps([_document(book) for book in found], ensure_ascii=False, indent=1))
    else:
        for book in found:
            _show(book)
    sys.exit(PROBLEMS if any(book.problems for book in found) else 0)


def _document(book: Verified) -> dict[str, object]:
    return {
        "folder": str(book.folder),
        "title": book.title,
        "sentences": book.n_sentences,
        "word_error_rate": round(book.word_error_rate, 4),
        "problems": [{"file": problem.file, "text": problem.text} for problem in book.problems],
    }


def _show(book: Verified) -> None:
    typer.echo(
        f"{book.title}: {book.n_sentences} sentences, "
        f"{book.word_error_rate:.1%} word errors in an independent transcript"
    )
    for problem in book.problems:
        typer.secho(f"  {problem.file}: {problem.text}", fg=typer.colors.RED)
    if not book.problems:
        typer.secho("  complete and unchanged", fg=typer.colors.GREEN)

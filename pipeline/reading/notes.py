"""What was left out, in words for the reader of a report."""

from __future__ import annotations

from collections.abc import Iterable

LICENCE = "Skipped the Project Gutenberg licence."


def skipped(things: Iterable[str]) -> tuple[str, ...]:
    """Return one sentence that names everything once: "Skipped the cover and the index."."""
    named = list(dict.fromkeys(things))
    return (f"Skipped {_listed(named)}.",) if named else ()


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return "1 footnote", "2 footnotes", "1,200 footnotes"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def omissions(*, n_footnotes: int, n_tables: int, n_formulas: int) -> tuple[str, ...]:
    """Return what was left out of the text itself."""
    left_out = [
        counted(number, thing)
        for number, thing in ((n_footnotes, "footnote"), (n_tables, "table"))
        if number
    ]
    verb = "is spoken as it is" if n_formulas == 1 else "are spoken as they are"
    formulas = (f"{counted(n_formulas, 'formula')} {verb} written.",) if n_formulas else ()
    return (*skipped(left_out), *formulas)


def _listed(things: list[str]) -> str:
    if len(things) < 3:
        return " and ".join(things)
    return f"{', '.join(things[:-1])} and {things[-1]}"

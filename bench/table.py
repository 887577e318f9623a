"""Results: a table on the terminal, JSON beside it."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows under their column names."""
    columns = list(rows[0])
    cells = [[str(column) for column in columns]]
    cells += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for line in cells:
        padded = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        print("  " + "  ".join(padded).rstrip())


def note(step: str) -> None:
    """Say what is being measured now; a bench takes minutes."""
    print(f"{time.strftime('%H:%M:%S')} {step}", file=sys.stderr, flush=True)


def save(name: str, results: Mapping[str, Any]) -> Path:
    """Write the results with what they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    document = {"measured_on": machine, **results}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

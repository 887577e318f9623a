"""FB2 tables as paragraphs: pandoc's FB2 reader drops them."""

from __future__ import annotations

import re

_TABLE = re.compile(r"<table\b[^>]*>(.*?)</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t([hd])\b[^>]*?(?:/>|>(.*?)</t[hd]>)", re.DOTALL)


def without_tables(text: str, *, speak: bool) -> tuple[str, int]:
    """Return FB2 text whose tables are paragraphs or gone, and how many are gone."""
    n_tables = len(_TABLE.findall(text))
    told = _TABLE.sub(lambda table: _rows(table[1]) if speak else "", text)
    return told, 0 if speak else n_tables


def _rows(table: str) -> str:
    titles: list[str] = []
    told: list[str] = []
    for row in _ROW.findall(table):
        cells = _CELL.findall(row)
        if not titles and not told and cells and all(kind == "h" for kind, _ in cells):
            titles = [cell.strip() for _, cell in cells]
            continue
        named = [
            f"{title}: {cell.strip()}" if title else cell.strip()
            for title, (_, cell) in zip(titles + [""] * len(cells), cells, strict=False)
            if cell.strip()
        ]
        told.append(f"<p>{'; '.join(named)}.</p>" if named else "")
    return "".join(told)

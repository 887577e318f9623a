"""What is known of files that the catalogue does not pin: recorded when they first arrive.

The first download is trusted as far as the hub vouches for it; from then on the record holds, and
a file that changes is damaged.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.models.files import sha256, write_json
from pipeline.models.sources import ModelFile

#: In the model folder.
RECORDS = ".recorded.json"


def read(folder: Path) -> dict[str, ModelFile]:
    """Return the recorded files by name; none when the record is missing or broken."""
    try:
        stored = json.loads((folder / RECORDS).read_text(encoding="utf-8"))
        return {
            name: ModelFile(name, int(size), str(sum_)) for name, (size, sum_) in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write(folder: Path, name: str) -> ModelFile:
    """Record the file as it lies in the folder."""
    path = folder / name
    record = ModelFile(name, path.stat().st_size, sha256(path))
    records = read(folder) | {name: record}
    write_json(
        folder / RECORDS, {each.name: [each.size_bytes, each.sha256] for each in records.values()}
    )
    return record

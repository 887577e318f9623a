"""What the model hub tells of a file in the headers of its answers.

The hub keeps large files elsewhere and redirects there. The redirect itself tells of the file:
`X-Linked-Size`, and `X-Linked-ETag`, which is the SHA-256 of a large file. Of a small file the
`ETag` is git's SHA-1. Any other server's ETag means nothing to us.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import Message

from pipeline.models.files import SourceError
from pipeline.models.sources import ModelFile

#: Of the hub's own answers, not of those of the servers it redirects to.
HUB_MARK = "X-Repo-Commit"


def told(url: str, file: ModelFile, answers: Sequence[Message]) -> ModelFile:
    """Return the file with what the answers tell of it.

    Args:
        url: Where it was asked for.
        file: What the catalogue knows of it.
        answers: The headers of every answer, redirects first.

    Raises:
        SourceError: Not even its size is told, or another than the catalogue knows.
    """
    size = _first(answers, "X-Linked-Size") or answers[-1].get("Content-Length", "")
    if not re.fullmatch(r"[0-9]+", size) or int(size) == 0:
        raise SourceError(f"{url}: the server does not tell how long the file is.")
    if file.size_bytes not in (0, int(size)):
        raise SourceError(f"{url} has {size} bytes, expected {file.size_bytes}.")
    tag = _tag(answers)
    return ModelFile(
        file.name,
        int(size),
        sha256=tag if len(tag) == 64 else "",
        git_sha1=tag if len(tag) == 40 else "",
    )


def _tag(answers: Sequence[Message]) -> str:
    """Return the hash that the hub tells, if it does."""
    own = [answer for answer in answers if HUB_MARK in answer]
    tag = _first(answers, "X-Linked-ETag") or _first(own, "ETag")
    found = re.fullmatch(r'(?:W/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?', tag.strip().lower())
    return found[1] if found else ""


def _first(answers: Sequence[Message], name: str) -> str:
    return next((answer[name] for answer in answers if answer[name]), "")

"""What a voice may be called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from uuid import UUID

from pipeline.errors import RequestError

#: Letters of any script, digits, "-" and "_"; a letter or digit first, so no option is meant.
NAME = re.compile(r"[^\W_][\w-]{0,63}")


def checked(name: str, reserved: Collection[str]) -> str:
    """Return the name in its normal form.

    Args:
        name: As the user gave it.
        reserved: Names that are taken, of the engines' own voices too.

    Raises:
        RequestError: It cannot be a voice's name.
    """
    normal = unicodedata.normalize("NFC", name.strip())
    if not NAME.fullmatch(normal):
        raise RequestError(
            f"{name!r} cannot name a voice: use letters, digits, - and _, at most 64, "
            "beginning with a letter or digit."
        )
    if as_uuid(normal):
        raise RequestError(f"{name!r} looks like the UUID of a voice. Choose another name.")
    if key(normal) in {key(other) for other in reserved}:
        raise RequestError(
            f"There is a voice {name!r} already (large and small letters count as the same). "
            "Choose another name; `voxmill voices list` shows those that are taken."
        )
    return normal


def key(name: str) -> str:
    """Return what two spellings of one name have in common."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def as_uuid(text: str) -> UUID | None:
    """Return the UUID that a text writes, if it does."""
    try:
        return UUID(text)
    except ValueError:
        return None

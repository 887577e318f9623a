"""Consent to clone a voice, as it is given on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import ValidationError

from pipeline.errors import RequestError
from pipeline.manifest.voice import Consent

#: Stands between who agreed and to what.
COMMA = re.compile("[,;:，；：、]")


def given(statement: str, owner: str | None = None) -> Consent:
    """Return a consent recorded today.

    Args:
        statement: Who agreed, and to what use of the voice.
        owner: Whose voice it is; what stands before the statement's first comma if not given.

    Raises:
        RequestError: It does not say whose voice it is, or what was agreed to.
    """
    who = COMMA.split(statement)[0] if owner is None and COMMA.search(statement) else owner or ""
    try:
        return Consent(id=uuid4(), owner=who, statement=statement, date=datetime.now(tz=UTC).date())
    except ValidationError as error:
        fields = {each["loc"][0] for each in error.errors()}
        raise RequestError(_refusal(fields, who, statement)) from error


def _refusal(fields: set[int | str], owner: str, statement: str) -> str:
    if "statement" not in fields:
        return (
            f"The consent does not name who owns the voice ({owner!r}). Give --owner NAME, or "
            'begin with the name: --consent "Ann Lee, agreed to audiobooks in her voice".'
        )
    return (
        f"A voice needs its owner's consent, and {statement!r} does not say who agreed to what. "
        'Give it in full: --consent "Ann Lee, agreed to audiobooks in her voice".'
    )

"""A job's name among all tenants' jobs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import RequestError

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}|")


@dataclass(frozen=True, slots=True, order=True)
class JobRef:
    """Written "tenant:id", or "id" for the tenant that has no name.

    Raises:
        RequestError: The id or the tenant is not such a name; nothing else ever becomes a part of
            an object's name.
    """

    tenant: str
    id: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or ".." in self.id:
            raise RequestError(
                f"{self.id!r} is no job id: use up to 64 letters, digits, '.', '_' and '-', with a "
                "letter or digit first and no '..'."
            )
        if not _TENANT.fullmatch(self.tenant):
            raise RequestError(
                f"{self.tenant!r} is no tenant: use up to 32 small letters, digits and '-'."
            )

    def __str__(self) -> str:
        return f"{self.tenant}:{self.id}" if self.tenant else self.id

    @classmethod
    def parse(cls, text: str) -> JobRef:
        """Read "tenant:id" or "id"."""
        tenant, _, job_id = text.rpartition(":")
        return cls(tenant, job_id)

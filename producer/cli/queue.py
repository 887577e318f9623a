"""What the commands of the queue share: the way to it, and how its jobs are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.store.protocol import ObjectStore

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
TenantOption = Annotated[
    str | None, typer.Option(help="Whose jobs; VOXMILL_TENANT's if not given.")
]


def connected(
    settings: Settings | None = None, tenant: str | None = None
) -> tuple[Settings, ObjectStore]:
    """Return settings that reach the queue, and its store.

    Args:
        settings: Of this machine; read anew where none are given.
        tenant: Instead of theirs.

    Raises:
        RequestError: No queue is named, and no stack is running.
    """
    from pipeline.local_stack import settings_of_running
    from pipeline.manifest.ref import JobRef
    from pipeline.settings import Settings
    from pipeline.store.opening import open_store

    found = settings_of_running(settings or Settings())
    if tenant is not None:
        found = found.model_copy(update={"tenant": tenant})
    JobRef(found.tenant, "any")  # raises where that is no name of a tenant
    return found, open_store(found.store_url, found)

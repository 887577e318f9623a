"""Webhooks: who wanted to know is told that a job has ended, until it is heard."""

from __future__ import annotations

from pipeline.manifest.job import JobRequest
from pipeline.manifest.result import Result
from pipeline.store.protocol import ObjectStore


def settle(store: ObjectStore, request: JobRequest, result: Result, number: int) -> bool:
    """Placeholder."""
    return True

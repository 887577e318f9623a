"""What a pool child does before its first task."""

from __future__ import annotations

import logging
from typing import Any

from celery import signals

from pipeline.settings import Settings
from workers import logs

#: Loggers that Celery gives handlers of their own.
CELERYS = ("celery", "celery.task", "celery.redirected")


@signals.worker_process_init.connect
def log_as_ours(**_: Any) -> None:
    """Take logging out of Celery's hands, as in the supervisor."""
    for name in CELERYS:
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    settings = Settings()
    logs.configure(settings, settings.process_name)

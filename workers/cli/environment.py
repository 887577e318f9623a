"""What Celery and its child must find in the environment before they are imported."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile

from pipeline.settings import Settings


def settled(name: str, device: str | None = None) -> Settings:
    """Return the settings, made sure to reach the child, which reads them anew.

    Args:
        name: Of this process.
        device: What the command line says instead of VOXMILL_DEVICE.
    """
    if device is not None:
        os.environ["VOXMILL_DEVICE"] = device
    os.environ["VOXMILL_PROCESS_NAME"] = name
    os.environ["VOXMILL_PROCESS_LIFE"] = secrets.token_hex(4)
    # The child counts into files, so that nothing is forgotten when it dies.
    counts = tempfile.mkdtemp(prefix="voxmill-metrics-")
    atexit.register(shutil.rmtree, counts, ignore_errors=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    return Settings()

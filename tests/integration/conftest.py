"""The real command, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from s3_server import running

from pipeline.settings import Settings
from pipeline.store.s3 import S3Store
from pipeline.store.s3_client import connect

VOXMILL = (sys.executable, "-m", "producer.cli.app")

#: A small book with what trips a renderer up: a heading, numbers, dialogue, a scene break.
BOOK = """---
title: The Small Book
author: A. Writer
language: en
---

# The First Part

The lamp was lit at a quarter past nine. Nobody came to the door that night.

"Who is there?" asked the old man, and he put down his book.

* * *

In the morning there were 14 letters on the table. Every one of them was empty.

# The Second Part

The river had risen by two feet, and the bridge was closed. They waited until noon.

Then the rain stopped, and the men went home across the fields.
"""


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` told."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    def event(self, kind: str) -> dict[str, Any]:
        """The last event of a kind."""
        found = [event for event in self.events if event["event"] == kind]
        assert found, f"no {kind} in {self.stdout}{self.stderr}"
        return found[-1]


@pytest.fixture(scope="session")
def environment(whisper_dir: Path) -> dict[str, str]:
    """What the command sees: this machine's model, and no way out."""
    return {
        **os.environ,
        "VOXMILL_WHISPER_PATH": str(whisper_dir),
        "VOXMILL_OFFLINE": "true",
        "VOXMILL_JOBS": "2",
    }


@pytest.fixture(scope="session")
def voxmill(environment: dict[str, str]) -> Callable[..., Ran]:
    """Run `voxmill ARGUMENTS…` to its end."""

    def run(
        *arguments: object,
        prefix: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Ran:
        done = subprocess.run(
            [*prefix, *VOXMILL, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**environment, **(env or {})},
            timeout=280,
            check=False,
            **options,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The small book as a Markdown file."""
    path = tmp_path / "small.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


def outputs(out: Path) -> dict[str, bytes]:
    """Return every finished file below an output folder by name."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".voxmill" not in path.parts
    }


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings that reach a real S3 server."""
    with running(tmp_path_factory.mktemp("s3")) as settings:
        yield settings


@pytest.fixture
def s3(s3_server: Settings) -> Iterator[S3Store]:
    """A new bucket; it goes with the test, since the server has room for about a dozen."""
    bucket = f"test-{uuid4().hex[:12]}"
    client = connect(s3_server)
    client.create_bucket(Bucket=bucket)
    yield S3Store(bucket, "", client)
    client.delete_bucket(Bucket=bucket)

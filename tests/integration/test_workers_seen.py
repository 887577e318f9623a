"""What the outside sees of real processes: metrics, health, log lines, a webhook."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from servers import PASSWORD, Child, Redis, eventually
from servers import redis as redis_server
from web_site import Handler, Web, served

from pipeline import names
from pipeline.manifest.event import WebhookEvent, WebhookReceipt
from pipeline.run.options import RenderOptions
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.web import signature
from producer.queue.submitting import Submitter, Wanted
from producer.stack.servers import free_ports

SECRET = "the-secret-of-webhooks"
TEXT = "The lamp was lit. Nobody came to the door.\n\nIt rained all night.\n\nThen it snowed.\n"
SILENT = RenderOptions(engine="silent", check="off", profile="raw", language="en")
VOXMILL = (sys.executable, "-m", "producer.cli.app")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


@dataclass
class Seen:
    """A worker and a reconciler, seen from the outside."""

    redis: Redis
    settings: Settings
    worker: Child
    reconciler: Child
    ports: dict[str, int]

    def status(self, process: str, path: str) -> int:
        try:
            self._get(process, path)
            return 200
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metric(self, process: str, name: str, **labels: str) -> float | None:
        """Return a sample of a process's metrics."""
        text = self._get(process, "/metrics")
        wanted = ",".join(f'{label}="{value}"' for label, value in labels.items())
        found = [match for line in text.splitlines() if (match := SAMPLE.match(line))]
        values = [float(each[3]) for each in found if (each[1], each[2] or "") == (name, wanted)]
        return values[0] if values else None

    def _get(self, process: str, path: str) -> str:
        url = f"http://127.0.0.1:{self.ports[process]}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def lines(self, child: Child) -> list[dict[str, Any]]:
        """Return a process's log lines; what is not one is Celery's banner."""
        return [json.loads(line) for line in child.log.read_text().splitlines() if line[:1] == "{"]


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as site:
        yield site


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path))
        ports = dict(zip(("worker", "reconciler"), free_ports(2), strict=True))
        settings = Settings(
            store_url=str(tmp_path / "store"),
            redis_url=redis.url,
            webhook_secret=SecretStr(SECRET),
            allowed_hosts=("127.0.0.1",),
            shard_chunks=2,
        )
        environment = {
            "VOXMILL_STORE_URL": settings.store_url,
            "VOXMILL_REDIS_URL": redis.url.get_secret_value(),
            "VOXMILL_WEBHOOK_SECRET": SECRET,
            "VOXMILL_ALLOWED_HOSTS": '["127.0.0.1"]',
            "VOXMILL_RECONCILE_EVERY_S": "0.5",
            "VOXMILL_LOG_FORMAT": "json",
            "VOXMILL_OFFLINE": "true",
            "TMPDIR": str(tmp_path),
        }
        commands = {"worker": ("worker", "--name", "gpu-1"), "reconciler": ("reconcile",)}
        children = {}
        for name, command in commands.items():
            port = {"VOXMILL_METRICS_PORT": str(ports[name])}
            child = Child((*VOXMILL, *command), tmp_path / f"{name}.log", {**environment, **port})
            child.start()
            stack.callback(child.kill)
            children[name] = child
        seen = Seen(redis, settings, children["worker"], children["reconciler"], ports)
        eventually(lambda: all(seen.status(name, "/readyz") == 200 for name in ports), 60)
        yield seen


def submit(seen: Seen, folder: Path, webhook: str) -> str:
    book = folder / "book.txt"
    book.write_text(TEXT)
    submitter = Submitter(seen.settings, LocalStore(Path(seen.settings.store_url)))
    wanted = Wanted(str(book), str(folder / "out"), SILENT, job_id="book-1", webhook=webhook)
    return submitter.submit(wanted).request.id


def refusing_once(web: Web) -> str:
    """Answer 500 at first, then 204."""

    def page(handler: Handler) -> None:
        handler.send_response(500 if len(web.told) == 1 else 204)
        handler.end_headers()

    web.pages["/hook"] = page
    return web.url("/hook")


def test_a_book_is_told_counted_and_logged(seen: Seen, web: Web, tmp_path: Path) -> None:
    job = submit(seen, tmp_path, refusing_once(web))
    store = LocalStore(Path(seen.settings.store_url))
    eventually(lambda: store.exists(names.webhook(job, 0)), 60)
    eventually(lambda: seen.metric("reconciler", "voxmill_active_jobs") == 0, 20)

    event = require_told(web, WebhookReceipt.decode(store.get(names.webhook(job, 0)) or b""))
    for pid in seen.worker.children():
        os.kill(pid, signal.SIGKILL)
    require_counted(seen, event.n_chunks)
    require_shown(seen)
    require_logged(seen)


def require_told(web: Web, receipt: WebhookReceipt) -> WebhookEvent:
    """Refused, told again in the same words, heard."""
    assert (receipt.outcome, receipt.n_attempts, receipt.answer) == ("delivered", 2, "204")
    first, second = web.told
    assert first == second
    event = WebhookEvent.decode(first)
    assert (event.id, event.state, event.n_flagged) == ("book-1/0", "succeeded", 0)
    assert {each.name for each in event.outputs} >= {"report.json"}
    for _, headers in web.asked:
        assert headers[signature.EVENT_HEADER] == event.id
        assert signature.is_valid(headers[signature.HEADER], first, SECRET, int(time.time()))
    return event


def require_counted(seen: Seen, n_chunks: int) -> None:
    """What was counted by a child that is dead."""
    assert seen.metric("worker", "voxmill_chunks_total", outcome="passed") == n_chunks
    assert seen.metric("worker", "voxmill_takes_total") == n_chunks
    assert seen.metric("worker", "voxmill_chunk_seconds_count") == n_chunks
    assert (seen.metric("worker", "voxmill_audio_seconds_total") or 0) > 1
    assert seen.metric("worker", "voxmill_shard_seconds_count", stage="synth") == n_chunks / 2
    assert seen.metric("worker", "voxmill_finalize_seconds_count") == 1
    assert seen.metric("worker", "voxmill_webhooks_total", outcome="failed") == 1
    assert seen.metric("reconciler", "voxmill_webhooks_total", outcome="delivered") == 1
    assert seen.metric("reconciler", "voxmill_jobs_total", state="succeeded") == 1


def require_shown(seen: Seen) -> None:
    """What only a reconciler shows."""
    assert seen.metric("worker", "voxmill_active_jobs") is None
    assert seen.metric("reconciler", "voxmill_pending_shards") == 0
    assert seen.metric("reconciler", "voxmill_queue_depth", stage="synth") == 0
    assert seen.metric("reconciler", "voxmill_queue_age_seconds", stage="synth") == 0
    assert seen.metric("reconciler", "voxmill_workers", stage="synth") == 1
    assert (seen.metric("reconciler", "voxmill_reconcile_seconds_count") or 0) > 1


def require_logged(seen: Seen) -> None:
    """Whole lines, about something, without secrets."""
    for child in (seen.worker, seen.reconciler):
        text = child.log.read_text()
        assert PASSWORD not in text
        assert SECRET not in text
    lines = seen.lines(seen.worker)
    told = [line for line in lines if line["message"].startswith("webhook of")]
    assert [(line["process"], line["job"], line["stage"], line["attempt"]) for line in told] == [
        ("gpu-1", "book-1", "finalize", 1)
    ]
    assert not [line for line in lines if "exception" in line]


def test_a_worker_without_a_broker_lives_and_takes_no_work(seen: Seen) -> None:
    assert seen.status("worker", "/healthz") == 200
    seen.redis.kill()
    eventually(lambda: seen.status("worker", "/readyz") == 503, 60, every_s=0.5)
    assert seen.status("worker", "/healthz") == 200
    seen.redis.start()
    eventually(lambda: seen.status("worker", "/readyz") == 200, 60, every_s=0.5)
    for child in (seen.worker, seen.reconciler):
        assert PASSWORD not in child.log.read_text()


def test_nothing_is_left_of_the_counts_of_processes_that_stop(seen: Seen, tmp_path: Path) -> None:
    assert list(tmp_path.glob("voxmill-metrics-*"))
    for child in (seen.worker, seen.reconciler):
        child.terminate()
        child.wait(60)
    assert not list(tmp_path.glob("voxmill-metrics-*"))

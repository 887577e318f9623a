"""Webhooks that must wait: they cost a reconciler neither time nor requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from queued_book import prepared

from pipeline import names
from pipeline.jobs import ending, submission
from pipeline.manifest.event import WebhookReceipt
from pipeline.manifest.job import JobBody, JobRequest
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from workers import app, reconciler, tending, webhooks
from workers.context import Context
from workers.ledger import Ledger
from workers.ledger.scripts import key
from workers.reconciler import Reconciler
from workers.sending import Sender
from workers.tools import Tools


class Receiver:
    """Answers with a status after a while, and knows who was told of."""

    def __init__(self) -> None:
        self.status, self.after_s = 200, 0.0
        self.heard: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(self.headers["Voxmill-Event-Id"])
                time.sleep(receiver.after_s)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - theirs
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.stop()


@pytest.fixture
def context(tmp_path: Path, redis_url: SecretStr, ledger: Ledger) -> Context:
    settings = Settings(
        store_url=str(tmp_path / "store"),
        redis_url=redis_url,
        webhook_secret=SecretStr("a-secret-of-webhooks"),
        allowed_hosts=("127.0.0.1",),
    )
    celery = app.create(settings)
    return Context(
        settings=settings,
        root=LocalStore(tmp_path / "store"),
        ledger=ledger,
        sender=Sender(celery, ledger),
        tools=Tools(settings),
        worker="reconciler@here",
    )


Ended = Callable[..., JobRequest]


@pytest.fixture
def ended(tmp_path: Path, context: Context, receiver: Receiver) -> Ended:
    """Submit a job that fails at once; its webhook is the receiver's."""
    job = prepared(tmp_path)

    def ended(name: str) -> JobRequest:
        request = JobRequest(
            id=name,
            created_s=1_800_000_000,
            body=JobBody(render=job.request, output="out", webhook=receiver.url),
            sample_rate_hz=job.recipe.sample_rate_hz,
            n_chunks=4,
            duration_s=10.0,
        )
        submission.write(job, request, lambda _chunk: (), context.root, 2)
        ending.decide(name, 0, ending.failed(request, "a test"), context.root)
        return request

    return ended


def receipt(context: Context, name: str) -> WebhookReceipt | None:
    data = context.root.get(names.webhook(name, 0))
    return WebhookReceipt.decode(data) if data else None


def pass_pauses(context: Context) -> None:
    """Let every pause be over."""
    for name in context.ledger.redis.scan_iter(key("webhook", "*")):
        n_tries = context.ledger.redis.get(name).partition("|")[0]
        context.ledger.redis.set(name, f"{n_tries}|0.0")
    for name in context.ledger.redis.zrange(key("webhooks"), 0, -1):
        context.ledger.redis.zadd(key("webhooks"), {name: 1.0})


def test_a_job_has_ended_for_the_reconciler_when_its_webhook_is_heard(
    context: Context, ended: Ended, receiver: Receiver
) -> None:
    ended("book-1")
    Reconciler(context).once(set())
    found = receipt(context, "book-1")
    assert found
    assert (found.outcome, found.n_attempts) == ("delivered", 1)
    assert receiver.heard == ["book-1/0"]
    assert not list(context.root.names(names.ACTIVE))


def test_a_job_is_not_read_again_before_its_webhook_is_due(
    context: Context, ended: Ended, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 500
    ended("book-1")
    looked_at: list[JobRef] = []
    tend = tending.tend

    def noting(context: Context, ref: JobRef) -> None:
        looked_at.append(ref)
        tend(context, ref)

    monkeypatch.setattr(tending, "tend", noting)
    one = Reconciler(context)
    for _ in range(3):
        one.once(set())
    assert looked_at == [JobRef("", "book-1")]
    assert webhooks.waiting(context) == {JobRef("", "book-1")}

    receiver.status = 204
    pass_pauses(context)
    one.once(set())
    found = receipt(context, "book-1")
    assert found
    assert (found.outcome, found.n_attempts) == ("delivered", 2)
    assert receiver.heard == ["book-1/0"] * 2


def test_who_asks_for_a_job_that_waits_is_not_put_off(
    context: Context, ended: Ended, receiver: Receiver
) -> None:
    receiver.status = 500
    request = ended("book-1")
    one = Reconciler(context)
    one.once(set())
    pass_pauses(context)
    context.ledger.redis.zadd(key("webhooks"), {"book-1": time.time() + 3600})
    one.once({request.ref})
    assert receiver.heard == ["book-1/0"] * 2


def test_a_host_that_lets_us_wait_in_vain_is_left_alone_for_all_jobs(
    context: Context, ended: Ended, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LONG_WAIT_S", 0.2)
    monkeypatch.setattr(webhooks, "LEFT_ALONE", 1000)
    receiver.status, receiver.after_s = 500, 0.3
    for i in range(3):
        ended(f"book-{i}")
    Reconciler(context).once(set())
    assert receiver.heard == ["book-0/0"]

    receiver.status, receiver.after_s = 200, 0.0
    (name,) = context.ledger.redis.scan_iter(key("left-alone", "*"))
    assert context.ledger.redis.pttl(name) > 200_000
    context.ledger.redis.delete(name)
    Reconciler(context).once(set())
    assert receiver.heard == ["book-0/0", "book-1/0", "book-2/0"]


def test_a_host_that_refuses_at_once_is_told_of_each_job(
    context: Context, ended: Ended, receiver: Receiver
) -> None:
    receiver.status = 500
    for i in range(3):
        ended(f"book-{i}")
    Reconciler(context).once(set())
    assert receiver.heard == ["book-0/0", "book-1/0", "book-2/0"]


def test_many_new_jobs_do_not_keep_a_round_from_its_other_work(
    context: Context, ended: Ended, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "MAX_NEW_S", 0.3)
    monkeypatch.setattr(Reconciler, "_audit", lambda *_: None)
    receiver.after_s = 0.2
    for i in range(4):
        ended(f"book-{i}")
    one = Reconciler(context)
    one.once(set())
    first = len(receiver.heard)
    assert 0 < first < 4
    for _ in range(3):
        one.once(set())
    assert sorted(receiver.heard) == [f"book-{i}/0" for i in range(4)]


def test_a_job_that_nobody_can_look_after_does_not_keep_the_others_waiting(
    context: Context,
    ended: Ended,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("book-1", "book-2"):
        ended(name)
    tend = tending.tend

    def failing(context: Context, ref: JobRef) -> None:
        if ref.id == "book-1":
            raise ValueError("a mistake of ours")
        tend(context, ref)

    monkeypatch.setattr(tending, "tend", failing)
    Reconciler(context).once(set())
    assert receiver.heard == ["book-2/0"]
    assert "the job book-1 cannot be looked after" in caplog.text
    assert "a mistake of ours" in caplog.text

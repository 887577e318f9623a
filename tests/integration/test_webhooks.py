"""Webhooks told to a real receiver, through a real Redis: until they are heard, and no more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import servers
from pydantic import SecretStr
from queued_book import QueuedBook, prepared, submitted
from queued_farm import Posted
from web_site import Handler, Web, served

from pipeline import names
from pipeline.jobs import ending
from pipeline.manifest.event import WebhookReceipt
from pipeline.manifest.job import JobRequest
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.web import signature
from workers import tending, webhooks
from workers.context import Context
from workers.ledger import Ledger, connect
from workers.tools import Tools

SECRET = "a secret between us"


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretStr]:
    with servers.redis(tmp_path_factory.mktemp("redis"), persistent=False) as server:
        yield server.url


@dataclass
class Receiver:
    """Gives one status after another, and at last always the last."""

    web: Web
    statuses: list[int] = field(default_factory=lambda: [200])
    #: Told by the server's clock.
    heard_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.web.pages["/hook"] = self._answer

    def _answer(self, handler: Handler) -> None:
        self.heard_s.append(time.monotonic())
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        handler.send_response(status)
        handler.end_headers()

    @property
    def ids(self) -> list[str]:
        return [headers["Voxmill-Event-Id"] for _, headers in self.web.asked]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with served() as web:
        yield Receiver(web)


@dataclass
class Office:
    """A job that has ended, and reconcilers that look after it."""

    book: QueuedBook
    context: Context

    @property
    def receipt(self) -> WebhookReceipt | None:
        data = self.book.store.get(names.webhook(self.book.request.id, 0))
        return WebhookReceipt.decode(data) if data else None

    @property
    def is_active(self) -> bool:
        return self.book.root.exists(names.active(str(self.ref)))

    @property
    def ref(self) -> JobRef:
        return JobRef(tenant=self.book.request.tenant, id=self.book.request.id)

    def tend(self) -> None:
        tending.tend(self.context, self.ref)

    def other(self, worker: str) -> Office:
        """Return the same job, looked after by another process."""
        ledger = connect(SecretStr(self.context.settings.redis_url.get_secret_value()))
        return Office(self.book, replace(self.context, worker=worker, ledger=ledger))


@pytest.fixture
def office(redis_url: SecretStr, receiver: Receiver, tmp_path: Path) -> Iterator[Office]:
    root = LocalStore(tmp_path / "store")
    settings = Settings(
        store_url=str(root.root),
        redis_url=redis_url,
        webhook_secret=SecretStr(SECRET),
        allowed_hosts=("127.0.0.1",),
    )
    book = submitted(prepared(tmp_path), root, str(tmp_path / "out"))
    told = book.request.body.model_copy(update={"webhook": receiver.web.url("/hook")})
    request: JobRequest = book.request.model_copy(update={"body": told})
    root.put(names.request(request.id), request.encode())
    ending.decide(request.id, 0, ending.cancelled(request), root)
    ledger: Ledger = connect(redis_url)
    ledger.redis.flushall()
    context = Context(settings, root, ledger, Posted(ledger), Tools(settings), "reconciler@a")  # type: ignore[arg-type]
    yield Office(replace(book, request=request), context)
    ledger.redis.close()


def test_what_is_heard_at_once_is_told_once(office: Office, receiver: Receiver) -> None:
    office.tend()
    office.tend()

    assert receiver.ids == ["book-1/0"]
    told = json.loads(receiver.web.told[0])
    assert (told["id"], told["job"], told["state"]) == ("book-1/0", "book-1", "cancelled")
    assert office.receipt == WebhookReceipt(
        event="book-1/0", outcome="delivered", n_attempts=1, answer="200"
    )
    assert not office.is_active


def test_the_signature_is_over_the_bytes_that_were_sent(office: Office, receiver: Receiver) -> None:
    office.tend()

    ((_, headers),), (body,) = receiver.web.asked, receiver.web.told
    header = headers[signature.HEADER]
    assert signature.is_valid(header, body, SECRET, int(time.time()))
    assert not signature.is_valid(header, body + b" ", SECRET, int(time.time()))


def test_an_event_is_told_again_with_growing_pauses_until_it_is_heard(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.3)
    receiver.statuses = [500, 500, 200]

    until_s = time.monotonic() + 30
    while office.is_active:
        assert time.monotonic() < until_s
        office.tend()
        time.sleep(0.01)

    first_s, second_s, third_s = receiver.heard_s
    assert second_s - first_s >= 0.3
    assert third_s - second_s >= 0.6
    assert receiver.ids == ["book-1/0"] * 3
    assert len(set(receiver.web.told)) == 1
    assert office.receipt
    assert (office.receipt.outcome, office.receipt.n_attempts) == ("delivered", 3)


def test_before_its_time_nothing_is_told(office: Office, receiver: Receiver) -> None:
    receiver.statuses = [503]

    for _ in range(5):
        office.tend()

    assert len(receiver.ids) == 1
    assert office.receipt is None
    assert office.is_active, "somebody must think of it"


def test_of_many_reconcilers_one_tells(office: Office, receiver: Receiver) -> None:
    offices = [office.other(f"reconciler@{number}") for number in range(6)]
    threads = [threading.Thread(target=each.tend) for each in offices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in offices:
        each.context.ledger.redis.close()
    office.tend()

    assert receiver.ids == ["book-1/0"]
    assert not office.is_active


def test_nobody_is_told_for_ever(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MAX_ATTEMPTS", 3)
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.001)
    receiver.statuses = [500]

    for _ in range(10):
        office.tend()
        time.sleep(0.02)

    assert len(receiver.ids) == 3
    assert office.receipt == WebhookReceipt(
        event="book-1/0", outcome="gave_up", n_attempts=3, answer="500"
    )
    assert not office.is_active


def test_a_redirect_is_no_answer_and_leads_nowhere(office: Office, receiver: Receiver) -> None:
    receiver.statuses = [302]

    office.tend()

    assert len(receiver.ids) == 1
    assert office.is_active


def test_an_address_that_may_no_longer_be_used_is_told_nothing(
    office: Office, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    settings = office.context.settings.model_copy(update={"allowed_hosts": ()})

    Office(office.book, replace(office.context, settings=settings)).tend()

    assert not receiver.ids
    assert "VOXMILL_ALLOWED_HOSTS" in caplog.text


def test_nothing_is_told_unsigned(office: Office, receiver: Receiver) -> None:
    settings = office.context.settings.model_copy(update={"webhook_secret": None})

    Office(office.book, replace(office.context, settings=settings)).tend()

    assert not receiver.ids
    assert office.is_active


def test_what_redis_forgot_is_told_again_under_the_same_id(
    office: Office, receiver: Receiver
) -> None:
    receiver.statuses = [500, 200]
    office.tend()
    office.context.ledger.redis.flushall()

    office.tend()

    assert receiver.ids == ["book-1/0"] * 2
    assert not office.is_active


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [webhooks.pause_s(n) for n in range(1, webhooks.MAX_ATTEMPTS)]

    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == pauses[-1] == 3600
    assert 20 * 3600 < sum(pauses) < 30 * 3600

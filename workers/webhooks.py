"""Webhooks: who wanted to know is told that a job has ended, again and again until it is heard.

What is told follows from the job's result, so nothing has to be kept but how often it was tried;
and that, in Redis, may be lost. A receiver may hear an event twice and knows it by its id.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline import names
from pipeline.errors import VoxmillError
from pipeline.manifest.event import WebhookReceipt, event
from pipeline.manifest.job import JobRequest
from pipeline.manifest.ref import JobRef
from pipeline.manifest.result import Result
from pipeline.settings import Settings
from pipeline.store.protocol import ObjectStore
from pipeline.web import signature
from pipeline.web.post import post
from workers import metrics
from workers.context import Context
from workers.ledger.scripts import key
from workers.ledger.trouble import ask

log = logging.getLogger(__name__)

#: Pause after the first failure, doubled each time up to the second.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 3600.0
#: After this many failures, a day or so, nobody is told any more.
MAX_ATTEMPTS = 32
#: Longer than telling takes: meanwhile no other reconciler tells the same.
TURN_S = 60.0
HTTP_OK = range(200, 300)
#: A host that lets us wait longer than this, in vain, is left alone for so many times as long: dead
#: receivers take little of a reconciler's time, however many jobs would tell them.
LONG_WAIT_S, LEFT_ALONE = 2.0, 10
#: What was tried in vain is remembered so long.
KEPT_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class _Tries:
    """How often an event was told in vain, kept for a while."""

    n: int
    next_s: float


def settle(
    context: Context, store: ObjectStore, request: JobRequest, result: Result, number: int
) -> bool:
    """Tell of a round's end if it is time; True when that is over."""
    told = event(request, number, result)
    outcome = names.webhook(request.id, number)
    if store.exists(outcome):
        return True
    tries = _tries(context, told.id)
    if context.ledger.now() < tries.next_s or _is_left_alone(context, request):
        return False
    if not context.ledger.turn(_turn(told.id), _owner(context), TURN_S):
        return False
    started_s = time.monotonic()
    answer, is_heard = _tell(request, told.encode(), told.id, context.settings)
    waited_s = time.monotonic() - started_s
    if not is_heard and waited_s > LONG_WAIT_S:
        _leave_alone(context, request, LEFT_ALONE * waited_s)
    n_tries = tries.n + 1
    if not is_heard and n_tries < MAX_ATTEMPTS:
        metrics.webhook_sent("failed")
        log.warning("webhook of %s, try %d: %s", request.ref, n_tries, answer)
        _put_off(context, request.ref, told.id, n_tries)
        return False
    receipt = WebhookReceipt(
        event=told.id,
        outcome="delivered" if is_heard else "gave_up",
        n_attempts=n_tries,
        answer=answer,
    )
    metrics.webhook_sent(receipt.outcome)
    store.put_new(outcome, receipt.encode())
    return True


def _turn(event_id: str) -> str:
    return f"webhook:{event_id}"


def _owner(context: Context) -> str:
    return f"{context.worker}:{os.getpid()}"


def waiting(context: Context) -> set[JobRef]:
    """Return the jobs that have ended and that nothing is to be told of yet."""

    def look() -> list[str]:
        now_s, name = context.ledger.now(), key("webhooks")
        context.ledger.redis.zremrangebyscore(name, "-inf", now_s)
        found: list[str] = context.ledger.redis.zrange(name, 0, -1)
        return found

    return {JobRef.parse(each) for each in ask(context.ledger.where, look)}


def pause_s(n_tries: int) -> float:
    """Return how long to wait after so many failures."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (n_tries - 1))


def _tell(request: JobRequest, body: bytes, event_id: str, settings: Settings) -> tuple[str, bool]:
    """Return the answer, and whether it means that we were heard."""
    assert request.body.webhook
    if settings.webhook_secret is None:
        return "there is no VOXMILL_WEBHOOK_SECRET to sign with", False
    secret = settings.webhook_secret.get_secret_value()
    headers = {
        signature.HEADER: signature.sign(body, secret, int(time.time())),
        signature.EVENT_HEADER: event_id,
    }
    try:
        status = post(request.body.webhook, body, headers, settings)
    except VoxmillError as error:
        return str(error), False
    return str(status), status in HTTP_OK


def _tries(context: Context, event_id: str) -> _Tries:
    found = ask(context.ledger.where, lambda: context.ledger.redis.get(key("webhook", event_id)))
    if not found:
        return _Tries(0, 0.0)
    n, next_s = found.split("|")
    return _Tries(int(n), float(next_s))


def _put_off(context: Context, ref: JobRef, event_id: str, n_tries: int) -> None:
    next_s = context.ledger.now() + pause_s(n_tries)

    def note() -> None:
        context.ledger.redis.set(key("webhook", event_id), f"{n_tries}|{next_s}", ex=KEPT_S)
        context.ledger.redis.zadd(key("webhooks"), {str(ref): next_s})
        context.ledger.redis.delete(key("turn", _turn(event_id)))  # whoever comes next may tell

    ask(context.ledger.where, note)


def _is_left_alone(context: Context, request: JobRequest) -> bool:
    name = _host_key(request)
    return bool(ask(context.ledger.where, lambda: context.ledger.redis.exists(name)))


def _leave_alone(context: Context, request: JobRequest, for_s: float) -> None:
    name, for_ms = _host_key(request), int(for_s * 1000)
    ask(context.ledger.where, lambda: context.ledger.redis.set(name, "", px=for_ms))


def _host_key(request: JobRequest) -> str:
    return key("left-alone", urlsplit(request.body.webhook or "").hostname)

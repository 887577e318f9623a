"""Webhooks: who wanted to know is told that a job has ended, again and again until it is heard.

What is told follows from the job's result, so nothing has to be kept but how often it was tried;
and that, in Redis, may be lost. A receiver may hear an event twice and knows it by its id.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass

from pipeline import names
from pipeline.errors import VoxmillError
from pipeline.manifest.event import WebhookReceipt, event
from pipeline.manifest.job import JobRequest
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
    is_time = context.ledger.now() >= tries.next_s
    if not is_time or not context.ledger.turn(f"webhook:{told.id}", _owner(context), TURN_S):
        return False
    answer, is_heard = _tell(request, told.encode(), told.id, context.settings)
    n_tries = tries.n + 1
    metrics.webhook_sent("delivered" if is_heard else "failed")
    if not is_heard and n_tries < MAX_ATTEMPTS:
        log.warning("webhook of %s, try %d: %s", request.ref, n_tries, answer)
        _put_off(context, told.id, n_tries)
        return False
    receipt = WebhookReceipt(
        event=told.id,
        outcome="delivered" if is_heard else "gave_up",
        n_attempts=n_tries,
        answer=answer,
    )
    store.put_new(outcome, receipt.encode())
    return True


def _owner(context: Context) -> str:
    return f"{context.worker}:{os.getpid()}"


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


def _put_off(context: Context, event_id: str, n_tries: int) -> None:
    next_s = context.ledger.now() + pause_s(n_tries)
    value = f"{n_tries}|{next_s}"
    ask(
        context.ledger.where,
        lambda: context.ledger.redis.set(key("webhook", event_id), value, ex=7 * 86400),
    )

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.manifest.ref import JobRef
from workers.ledger import Ledger
from workers.ledger.observing import StageCount, snapshot

Admit = Callable[..., JobRef]


def test_an_empty_ledger_has_nothing_to_show(ledger: Ledger) -> None:
    seen = snapshot(ledger)
    assert set(seen.stages.values()) == {StageCount(0, 0, 0.0)}
    assert (seen.pending, seen.leases, seen.n_later, seen.workers) == ({}, (), 0, {})


def test_what_is_under_way_is_seen(ledger: Ledger, admit: Admit) -> None:
    book, other = admit("book", 5), admit("acme:other", 1, priority="high", tenant_shards=1)
    ledger.here("gpu-1", ["synth"], 60)
    taken, *_, put_off = ledger.pick(4)
    ledger.begin("synth", taken.item, taken.priority, taken.at, "task@gpu-1", 60)
    ledger.later(put_off.item, "synth", 60)
    time.sleep(0.05)
    seen = snapshot(ledger)
    assert (seen.stages["synth"].n_queued, seen.stages["synth"].n_leased) == (2, 1)
    assert 0.05 <= seen.stages["synth"].oldest_s < 5
    assert seen.pending[book] + seen.pending[other] == 2
    (lease,) = seen.leases
    assert (lease.stage, lease.item, lease.owner) == ("synth", taken.item, "task@gpu-1")
    assert 50 < lease.left_s <= 60
    assert seen.n_later == 1
    assert seen.workers == {"gpu-1": ("synth",)}


def test_jobs_of_a_tenant_that_has_to_wait_are_seen(ledger: Ledger, admit: Admit) -> None:
    for i in range(3):
        admit(f"acme:job-{i}", 2, tenant_shards=1)
    ledger.pick(10)
    assert sum(snapshot(ledger).pending.values()) == 5

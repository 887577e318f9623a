"""A lease kept alive from a thread while its holder works."""

from __future__ import annotations

import time

import pytest
from queued_farm import Farm
from servers import eventually

from workers.lease import Held, LostLeaseError

LEASE_S = 0.3


def begun(farm: Farm) -> Held:
    """Take the lease on a shard."""
    farm.start()
    ledger, item = farm.context.ledger, farm.item("0000")
    assert ledger.begin("synth", item, "normal", ledger.now(), "we", LEASE_S)
    return Held(ledger, "synth", item, "we", LEASE_S)


def test_a_lease_is_kept_while_its_holder_works(farm: Farm) -> None:
    ledger = farm.context.ledger

    with begun(farm) as held:
        time.sleep(3 * LEASE_S)
        assert not ledger.neglected([], 60.0)
        held.require()


def test_a_lease_is_lost_when_it_is_not_renewed(farm: Farm) -> None:
    begun(farm)

    time.sleep(2 * LEASE_S)

    (lost,) = farm.context.ledger.neglected([], 60.0)
    assert lost.item == farm.item("0000")


def test_whoever_finds_his_lease_with_another_stops(farm: Farm) -> None:
    ledger, item = farm.context.ledger, farm.item("0000")

    with begun(farm) as held:
        ledger.end("synth", item, "we")
        at = ledger.queued("synth", item, "normal")
        assert ledger.begin("synth", item, "normal", at, "another", 60.0)

        def is_lost() -> bool:
            try:
                held.require()
            except LostLeaseError:
                return True
            return False

        eventually(is_lost, 5)
        with pytest.raises(LostLeaseError, match=r"book-1 0000 \(synth\) was lost"):
            held.require()

"""Who is next: properties of sharing, played through with workers that take one shard at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.manifest.job import Priority
from pipeline.manifest.ref import JobRef
from workers.ledger import Ledger, Picked, connect

Admit = Callable[..., JobRef]

LIVE = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def finish(ledger: Ledger, picked: Picked) -> None:
    ledger.begin("synth", picked.item, picked.priority, picked.at, "worker", 60)
    ledger.hand_over(picked.item, picked.priority)
    ledger.done(picked.item)


@dataclass
class Crew:
    """Workers: the oldest of the shards in their hands is finished before the next is picked."""

    ledger: Ledger
    window: int
    at_work: list[Picked] = field(default_factory=list)

    def turns(self, n: int) -> list[str]:
        """Return the jobs of the next shards."""
        picked: list[str] = []
        while len(picked) < n:
            new = self.ledger.pick(self.window)
            self.at_work += new
            picked += [str(one.item.job) for one in new]
            if not self.at_work:
                break
            finish(self.ledger, self.at_work.pop(0))
        return picked


def all_shards(ledger: Ledger, window: int) -> Iterator[str]:
    """Finish everything; yield each shard that is picked."""
    while picked := ledger.pick(window):
        for one in picked:
            yield str(one.item)
            finish(ledger, one)


def test_no_more_are_in_flight_than_the_window(ledger: Ledger, admit: Admit) -> None:
    admit("book", 10)
    first = ledger.pick(4)
    assert [picked.item.shard for picked in first] == ["0000", "0001", "0002", "0003"]
    assert ledger.pick(4) == []
    ledger.hand_over(first[2].item, "normal")
    assert [picked.item.shard for picked in ledger.pick(4)] == ["0004"]


@LIVE
@given(
    jobs=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["high", "normal", "low"])), max_size=8
    ),
    window=st.integers(1, 9),
)
def test_each_shard_is_picked_once(
    redis_url: SecretStr, admit: Admit, jobs: list[tuple[int, Priority]], window: int
) -> None:
    ledger = connect(redis_url)
    ledger.redis.flushall()
    for i, (n_shards, priority) in enumerate(jobs):
        admit(f"t{i % 2}:job-{i}", n_shards, priority=priority, tenant_shards=3)
    picked = Counter(all_shards(ledger, window))
    wanted = {
        f"t{i % 2}:job-{i} {n:04d}" for i, (count, _) in enumerate(jobs) for n in range(count)
    }
    assert picked == dict.fromkeys(wanted, 1)
    ledger.redis.close()


def test_a_backlog_of_a_hundred_books_does_not_hold_up_a_short_job(
    ledger: Ledger, admit: Admit
) -> None:
    for i in range(100):
        admit(f"book-{i}", 40, created_s=1_800_000_000 + i)
    crew = Crew(ledger, 4)
    for n_before in (5, 300, 700):
        crew.turns(n_before)
        admit(f"short-{n_before}", 8, created_s=1_800_100_000)
        assert crew.turns(20)[:10].count(f"short-{n_before}") == 8


def test_a_short_job_of_low_priority_is_through_as_well(ledger: Ledger, admit: Admit) -> None:
    for i in range(100):
        admit(f"book-{i}", 100, priority="high")
    crew = Crew(ledger, 4)
    crew.turns(300)
    admit("short", 4, priority="low")
    assert crew.turns(20)[:6].count("short") == 4


def test_jobs_share_by_their_weights(ledger: Ledger, admit: Admit) -> None:
    admit("high", 2000, priority="high", created_s=3)
    admit("normal", 2000, created_s=2)
    admit("low", 2000, priority="low", created_s=4)
    admit("oldest", 2000, priority="low", created_s=1)
    shares = Counter(Crew(ledger, 4).turns(1100))
    assert 0.65 < shares["high"] / 1100 < 0.75
    assert 0.15 < shares["normal"] / 1100 < 0.20
    assert 0.035 < shares["low"] / 1100 < 0.06
    assert 0.11 < shares["oldest"] / 1100 < 0.17, "one of eight, whatever it weighs"


def test_equal_jobs_take_turns(ledger: Ledger, admit: Admit) -> None:
    for name in "abcde":
        admit(name, 400, created_s=ord(name))
    shares = Counter(Crew(ledger, 2).turns(500))
    assert all(80 <= shares[name] <= 125 for name in "abcde"), shares


def test_short_jobs_that_never_cease_do_not_stop_an_old_book(ledger: Ledger, admit: Admit) -> None:
    admit("book", 400, priority="low", created_s=1)
    crew, shares = Crew(ledger, 1), Counter[str]()
    for i in range(60):
        admit(f"short-{i}", 8, priority="high", created_s=2 + i)
        shares.update(crew.turns(6))
    assert shares["book"] >= 360 / 8 - 1


def test_a_job_that_was_away_cannot_save_up_turns(ledger: Ledger, admit: Admit) -> None:
    admit("oldest", 2000, created_s=1)
    admit("away", 1, created_s=2)
    crew = Crew(ledger, 1)
    crew.turns(1000)
    admit("away", 400, created_s=2)
    shares = Counter(crew.turns(200))
    assert shares["away"] <= 16 + 184 / 2 + 1


def test_a_tenant_has_no_more_in_flight_than_it_may(ledger: Ledger, admit: Admit) -> None:
    for i in range(5):
        admit(f"acme:job-{i}", 10, tenant_shards=3)
    admit("other", 2)
    picked = ledger.pick(50)
    assert Counter(one.item.job.tenant for one in picked) == {"acme": 3, "": 2}
    assert ledger.pick(50) == []
    finish(ledger, next(one for one in picked if one.item.job.tenant))
    assert [one.item.job.tenant for one in ledger.pick(50)] == ["acme"]


def test_a_tenants_jobs_all_get_done_within_its_limit(ledger: Ledger, admit: Admit) -> None:
    for i in range(7):
        admit(f"acme:job-{i}", 5, tenant_shards=2)
    assert len(set(all_shards(ledger, 10))) == 35


def test_a_forgotten_job_leaves_its_place_to_others_of_its_tenant(
    ledger: Ledger, admit: Admit
) -> None:
    jobs = [admit(f"acme:job-{i}", 5, tenant_shards=1, created_s=i) for i in range(3)]
    (first,) = ledger.pick(10)
    ledger.pick(10)
    finish(ledger, first)
    for job in jobs[:2]:
        ledger.forget(job)
    assert [one.item.job for one in ledger.pick(10)] == [jobs[2]]


def test_the_jobs_of_a_full_tenant_are_not_passed_again_and_again(
    ledger: Ledger, admit: Admit
) -> None:
    for i in range(300):
        admit(f"acme:job-{i}", 2, tenant_shards=1, created_s=i)
    admit("other", 50, created_s=1000)
    picked = ledger.pick(5)
    ledger.redis.config_resetstat()
    for one in picked[1:]:
        finish(ledger, one)
    ledger.pick(5)
    commands = sum(each["calls"] for each in ledger.redis.info("commandstats").values())
    assert commands < 400

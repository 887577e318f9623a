"""An S3 server that fails, keeps silent, loses answers and takes its time while a book is made."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import faults
import pytest
import s3_server
from farm import SHARD, Farm, farming, text
from faults import Decide, Fault, HttpFaults, Request
from recovery import fault, record

from pipeline.settings import Settings
from pipeline.store.s3_client import make_bucket

COST_S = 0.1
N_CHUNKS = 8
#: A server that keeps silent for so long is asked again; half a minute would make tests too long.
PATIENCE_S = 1.0
SILENT = faults.slow(2 * PATIENCE_S)
EXPIRED = faults.status(400, "ExpiredToken")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An S3 server with a bucket."""
    with s3_server.running(tmp_path_factory.mktemp("s3")) as settings:
        make_bucket("voxmill", settings)
        yield settings


@pytest.fixture(scope="module")
def spoiling(server: Settings) -> Iterator[HttpFaults]:
    port = urlsplit(server.s3_endpoint_url or "").port
    assert port
    with HttpFaults(port) as running:
        yield running


@pytest.fixture(scope="module")
def running(
    server: Settings, spoiling: HttpFaults, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Farm]:
    """A farm whose processes reach S3 through a proxy; the test itself goes past it."""
    with farming(
        tmp_path_factory.mktemp("farm"),
        store_url="s3://voxmill/store",
        output="s3://voxmill/out",
        environment={
            "VOXMILL_S3_ENDPOINT_URL": server.s3_endpoint_url or "",
            "VOXMILL_S3_ACCESS_KEY_ID": s3_server.ACCESS_KEY,
            "VOXMILL_S3_SECRET_ACCESS_KEY": s3_server.SECRET_KEY,
            "CHAOS_S3_PATIENCE_S": str(PATIENCE_S),
            # What a shard may take must be more than what a store that fails is waited for.
            "VOXMILL_SHARD_TIME_LIMIT_S": "120",
        },
    ) as farm:
        farm.tell({"VOXMILL_S3_ENDPOINT_URL": spoiling.url})
        yield farm


@pytest.fixture
def proxy(spoiling: HttpFaults) -> Iterator[HttpFaults]:
    yield spoiling
    spoiling.decide = lambda _: faults.PASS


@dataclass
class Dice:
    """Spoils requests by chance."""

    kinds: tuple[Fault, ...]
    share: float
    #: Of every method; else of these.
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._random = random.Random(1)

    def __call__(self, request: Request) -> Fault:
        is_meant = not self.methods or request.method in self.methods
        if is_meant and self._random.random() < self.share:
            return self._random.choice(self.kinds)
        return faults.PASS


@contextmanager
def disturbed(
    farm: Farm, proxy: HttpFaults, scenario: str, decide: Decide, within_s: float = 200
) -> Iterator[None]:
    """Make a book while requests are spoiled; the body may end that before the book is done."""
    job = farm.submit(text(N_CHUNKS, scenario.replace(" ", "").replace("%", "p")), cost_s=COST_S)
    farm.await_begun(job)
    hit, proxy.decide = fault(farm, job), decide
    started_s, n_before = time.monotonic(), len(proxy.seen)
    yield
    farm.await_end(job, within_s)
    wall_s, n_requests = time.monotonic() - started_s, len(proxy.seen) - n_before
    proxy.decide = lambda _: faults.PASS
    farm.require_invariants(job)
    rework = len(farm.log(job.text)) - job.request.n_chunks
    record(
        f"S3 {scenario}",
        recovery_s=hit.recovered_s(),
        rework_chunks=rework,
        wall_s=wall_s,
        n_requests=n_requests,
    )
    assert rework <= 2 * SHARD


def test_a_book_is_whole_though_s3_refuses_and_loses_answers_now_and_then(
    farm: Farm, proxy: HttpFaults
) -> None:
    kinds = (faults.status(503, "SlowDown"), faults.LOST)
    with disturbed(farm, proxy, "503 or answer lost 20%", Dice(kinds, 0.2)):
        pass


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("500", faults.status(500, "InternalError")),
        ("503", faults.status(503, "SlowDown")),
        ("silence", SILENT),
    ],
    ids=["500", "503", "silence"],
)
def test_a_book_is_whole_though_s3_fails(
    farm: Farm, proxy: HttpFaults, name: str, kind: Fault, share: float
) -> None:
    with disturbed(farm, proxy, f"{name} {share:.0%}", Dice((kind,), share), 500):
        pass


@pytest.mark.chaos
def test_a_book_is_whole_though_answers_are_lost_after_the_fact(
    farm: Farm, proxy: HttpFaults
) -> None:
    with disturbed(farm, proxy, "answer lost 10%", Dice((faults.LOST,), 0.1)):
        pass


@pytest.mark.chaos
def test_a_book_is_whole_though_uploads_are_slow_and_partial(farm: Farm, proxy: HttpFaults) -> None:
    kinds = (faults.CUT_UPLOAD, faults.slow(0.5), faults.CUT_DOWNLOAD)
    with disturbed(farm, proxy, "uploads slow or cut 30%", Dice(kinds, 0.3, ("PUT", "POST"))):
        pass


@pytest.mark.chaos
def test_a_book_is_whole_though_downloads_are_cut_and_damaged(
    farm: Farm, proxy: HttpFaults
) -> None:
    kinds = (faults.CUT_DOWNLOAD, faults.DAMAGED)
    with disturbed(farm, proxy, "downloads cut or damaged 20%", Dice(kinds, 0.2, ("GET",))):
        pass


@pytest.mark.chaos
def test_a_book_is_whole_though_conditional_writes_are_refused_without_reason(
    farm: Farm, proxy: HttpFaults
) -> None:
    kinds = (
        faults.status(409, "ConditionalRequestConflict"),
        faults.status(412, "PreconditionFailed"),
    )
    with disturbed(farm, proxy, "409 or 412 50%", Dice(kinds, 0.5, ("PUT",))):
        pass


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("name", "kind"),
    [("keys expired", EXPIRED), ("unreachable", faults.RESET)],
    ids=["expired", "unreachable"],
)
def test_a_book_is_whole_though_s3_lets_nobody_in_for_a_while(
    farm: Farm, proxy: HttpFaults, name: str, kind: Fault
) -> None:
    with disturbed(farm, proxy, f"{name} for 5 s", lambda _: kind):
        time.sleep(5)
        proxy.decide = lambda _: faults.PASS

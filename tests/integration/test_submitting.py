"""Jobs submitted to a store that is a folder, and to one on a real S3 server."""

from __future__ import annotations

import multiprocessing
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from kombu.connection import Connection
from pydantic import SecretStr

from pipeline import names
from pipeline.errors import ConflictError, InputError, QuotaError, RequestError
from pipeline.jobs import ending, records
from pipeline.manifest.message import ADMIT, Message
from pipeline.manifest.ref import JobRef
from pipeline.run.options import RenderOptions
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.store.opening import open_store
from pipeline.store.protocol import ObjectStore
from pipeline.store.s3_client import connect
from producer.queue import hint
from producer.queue.submitting import Submitter, Wanted
from producer.stack import ports, servers

TEXT = "The lamp was lit. Nobody came to the door.\n\nIt rained all night.\n\nThen it snowed.\n"
SILENT = RenderOptions(engine="silent", check="off", profile="raw", language="en")
#: Nothing listens there.
NOWHERE = SecretStr("redis://:top-secret-password@127.0.0.1:1/0")


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a queue with a store of its own and a broker that is down."""
    if request.param == "folder":
        return Settings(store_url=str(tmp_path / "store"), redis_url=NOWHERE, shard_chunks=2)
    server: Settings = request.getfixturevalue("s3_server")
    bucket = f"queue-{uuid4().hex[:12]}"
    connect(server).create_bucket(Bucket=bucket)
    changes = {"store_url": f"s3://{bucket}/queue", "redis_url": NOWHERE, "shard_chunks": 2}
    return server.model_copy(update=changes)


@pytest.fixture
def root(settings: Settings) -> ObjectStore:
    return open_store(settings.store_url, settings)


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    return Wanted(str(path), str(tmp_path / "out"), SILENT)


def objects(root: ObjectStore) -> dict[str, bytes | None]:
    """Every object of every job."""
    listed = (names.JOBS, names.ACTIVE, names.INDEX)
    return {name: root.get(name) for prefix in listed for name in root.names(prefix)}


def test_what_is_submitted_is_all_there(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    done = Submitter(settings, root).submit(replace(wanted, deadline="2h", priority="high"))
    request = done.request
    assert (done.state, done.is_new) == ("queued", True)
    assert re.fullmatch(r"a-[0-9a-f]{12}", request.id)
    assert request.deadline_s == request.created_s + 7_200
    assert request.body.priority == "high"
    plan = records.load_plan(request.id, root)
    assert request.n_chunks == len(plan.chunks)
    shards = [name for name in objects(root) if "/shards/" in name]
    assert len(shards) == -(-request.n_chunks // 2)
    assert root.exists(names.active(request.id))
    assert root.exists(names.indexed(request.id, request.created_s))


def test_the_same_again_is_the_same_job(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    submitter = Submitter(settings, root)
    first = submitter.submit(wanted)
    before = objects(root)
    again = submitter.submit(wanted)
    assert again.request == first.request
    assert not again.is_new
    assert objects(root) == before


def test_what_has_ended_is_not_begun_again(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    submitter = Submitter(settings, root)
    request = submitter.submit(wanted).request
    ending.decide(request.id, 0, ending.cancelled(request), root)
    root.delete(names.active(request.id))
    again = submitter.submit(wanted)
    assert (again.state, again.is_new) == ("cancelled", False)
    assert not root.exists(names.active(request.id))


@pytest.mark.parametrize(
    "change",
    [
        {"output": "/elsewhere"},
        {"options": replace(SILENT, speed=1.2)},
        {"priority": "low"},
        {"deadline": "3h"},
    ],
)
def test_another_wish_is_another_job_and_under_the_same_id_a_conflict(
    settings: Settings, root: ObjectStore, wanted: Wanted, change: dict[str, str]
) -> None:
    submitter = Submitter(settings, root)
    assert (
        submitter.submit(wanted).request.id
        != submitter.submit(replace(wanted, **change)).request.id
    )
    named = replace(wanted, job_id="mine")
    submitter.submit(named)
    before = objects(root)
    with pytest.raises(ConflictError, match="'mine' belongs to another request"):
        submitter.submit(replace(named, **change))
    assert objects(root) == before


def test_another_text_under_the_same_id_is_a_conflict(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    submitter = Submitter(settings, root)
    named = replace(wanted, job_id="mine")
    submitter.submit(named)
    Path(wanted.input).write_text(TEXT + "\nAnd snowed.\n", encoding="utf-8")
    with pytest.raises(ConflictError):
        submitter.submit(named)


def submit_in_a_process(settings: Settings, wanted: Wanted, n: int) -> list[tuple[str, bytes]]:
    """Submit the same job `n` times at once; return each answer's id and request."""
    submitter = Submitter(settings, open_store(settings.store_url, settings), is_reachable=False)
    with ThreadPoolExecutor(n) as pool:
        done = list(pool.map(lambda _: submitter.submit(wanted), range(n)))
    return [(each.request.id, each.request.encode()) for each in done]


def test_a_hundred_at_once_with_one_id_are_one_job_written_once(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    named = replace(wanted, job_id="one")
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        answers = pool.starmap(submit_in_a_process, [(settings, named, 25)] * 4)
    flat = [answer for each in answers for answer in each]
    assert len(flat) == 100
    stored = objects(root)
    # Everybody was told of the one request that stands.
    assert set(flat) == {("one", stored[names.request("one")])}
    request = records.load_request("one", root)
    assert request
    n_shards = -(-request.n_chunks // 2)
    assert len(stored) == 2 + n_shards + 2  # request, plan, shards, and both notes
    after_all = Submitter(settings, root, is_reachable=False).submit(named)
    assert after_all.request == request
    assert objects(root) == stored


def test_a_submission_that_was_killed_half_way_is_completed_by_the_next(
    settings: Settings, root: ObjectStore, wanted: Wanted
) -> None:
    submitter = Submitter(settings, root)
    request = submitter.submit(wanted).request
    whole = objects(root)
    for name in whole:
        if name != names.request(request.id) and "/shards/0000" not in name:
            root.delete(name)
    again = submitter.submit(wanted)
    assert not again.is_new
    assert objects(root) == whole


def test_an_input_is_read_from_a_bucket_that_is_allowed(
    s3_server: Settings, tmp_path: Path
) -> None:
    bucket = f"books-{uuid4().hex[:12]}"
    client = connect(s3_server)
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="in/The Book.md", Body=b"It rained all night.\n")
    settings = s3_server.model_copy(
        update={"store_url": str(tmp_path), "redis_url": NOWHERE, "allowed_buckets": (bucket,)}
    )
    submitter = Submitter(settings, open_store(settings.store_url, settings))
    there = Wanted(f"s3://{bucket}/in/The Book.md", f"s3://{bucket}/out/", SILENT)
    request = submitter.submit(there).request
    assert request.body.render.title == "The Book"
    assert request.body.output == f"s3://{bucket}/out"
    with pytest.raises(InputError, match=r"in/other\.md: There is no such object"):
        submitter.submit(replace(there, input=f"s3://{bucket}/in/other.md"))
    with pytest.raises(RequestError, match="VOXMILL_ALLOWED_BUCKETS"):
        submitter.submit(replace(there, input="s3://secrets/a.md"))
    with pytest.raises(RequestError, match="VOXMILL_ALLOWED_BUCKETS"):
        submitter.submit(replace(there, output="s3://secrets/a"))


@pytest.fixture
def site() -> Iterator[str]:
    """A web server with one book."""

    class Books(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_there = self.path == "/The%20Book.txt"
            self.send_response(200 if is_there else 404)
            self.end_headers()
            self.wfile.write(TEXT.encode() if is_there else b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Books) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_input_is_fetched_from_a_host_that_is_allowed(
    local: Settings, wanted: Wanted, site: str
) -> None:
    root = LocalStore(Path(local.store_url))
    there = replace(wanted, input=f"{site}/The%20Book.txt")
    with pytest.raises(RequestError, match="VOXMILL_ALLOWED_HOSTS"):
        Submitter(local, root).submit(there)
    settings = local.model_copy(update={"allowed_hosts": ("127.0.0.1",)})
    assert Submitter(settings, root).submit(there).request.body.render.title == "The Book"
    with pytest.raises(InputError, match="answers 404"):
        Submitter(settings, root).submit(replace(there, input=f"{site}/other.txt"))


def test_a_webhook_is_taken_only_when_it_can_be_signed_and_leads_outside(
    local: Settings, wanted: Wanted
) -> None:
    root = LocalStore(Path(local.store_url))
    settings = local.model_copy(update={"webhook_secret": SecretStr("sign-with-this")})
    for url in ("http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://u:p@h/"):
        with pytest.raises(RequestError):
            Submitter(settings, root).submit(replace(wanted, webhook=url))
    settings = settings.model_copy(update={"allowed_hosts": ("127.0.0.1",)})
    hook = "http://127.0.0.1:9/hook"
    request = Submitter(settings, root).submit(replace(wanted, webhook=hook)).request
    assert request.body.webhook == hook


# --- What is refused; nothing of it is left in the store ----------------------------------------


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    return Settings(store_url=str(tmp_path / "store"), redis_url=NOWHERE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"job_id": "../other"}, "is no job id"),
        ({"job_id": "a/b"}, "is no job id"),
        ({"job_id": "a..b"}, "is no job id"),
        ({"job_id": ""}, "is no job id"),
        ({"job_id": "x" * 65}, "is no job id"),
        ({"job_id": "a\nb"}, "is no job id"),
        ({"output": "ftp://host/x"}, "is no store"),
        ({"output": "s3://"}, "names no bucket"),
        ({"output": "s3://bucket/a/../b"}, "no empty part"),
        ({"deadline": "soon"}, "is no deadline"),
        ({"deadline": "2020-01-01T00:00Z"}, "has passed"),
        ({"webhook": "https://example.com/hook"}, "VOXMILL_WEBHOOK_SECRET"),
        ({"options": replace(SILENT, voice="nobody-else")}, "no voice"),
        ({"input": "nowhere.md"}, "no such file"),
        ({"input": "http://[::1"}, "is no address"),
        ({"input": "https://user:secret@host/a.md"}, r"https://host/a\.md: inputs are fetched"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_no_trace(
    local: Settings, wanted: Wanted, change: dict[str, str], words: str
) -> None:
    with pytest.raises((RequestError, InputError), match=words):
        Submitter(local, LocalStore(Path(local.store_url))).submit(replace(wanted, **change))
    assert not Path(local.store_url).exists()


def test_a_tenant_has_a_tree_of_its_own(local: Settings, wanted: Wanted) -> None:
    settings = local.model_copy(update={"tenant": "acme"})
    root = LocalStore(Path(local.store_url))
    request = Submitter(settings, root).submit(wanted).request
    assert request.ref == JobRef("acme", request.id)
    assert root.exists(f"tenants/acme/jobs/{request.id}/plan.json")
    assert root.exists(f"active/acme:{request.id}")
    assert not list(root.names("jobs"))


@pytest.mark.parametrize("tenant", ["../x", "ACME", "a b", "x" * 33])
def test_a_tenants_name_cannot_lead_elsewhere(local: Settings, wanted: Wanted, tenant: str) -> None:
    settings = local.model_copy(update={"tenant": tenant})
    with pytest.raises(RequestError, match="is no tenant"):
        Submitter(settings, LocalStore(Path(local.store_url))).submit(wanted)


def test_a_tenant_with_all_it_may_have_must_wait(local: Settings, wanted: Wanted) -> None:
    quotas = {"acme": {"jobs": 1}, "zeta": {"chunks": 6}}
    root = LocalStore(Path(local.store_url))

    def submitter(tenant: str) -> Submitter:
        update = {"tenant": tenant, "quotas": quotas}
        return Submitter(local.model_copy(update=update), root, is_reachable=False)

    other = replace(wanted, output="/other")
    for tenant in ("acme", "zeta"):
        submitter(tenant).submit(wanted)
        submitter(tenant).submit(wanted)  # the same job, not one more
    with pytest.raises(QuotaError, match="1 jobs that have not ended, and the tenant 'acme' may"):
        submitter("acme").submit(other)
    with pytest.raises(QuotaError, match="'zeta' may have 6 at once"):
        submitter("zeta").submit(other)
    for _ in range(2):
        submitter("").submit(other)  # nobody limits others
    (job_id,) = root.below("tenants/acme").folders("jobs")
    root.delete(names.active(f"acme:{job_id}"))
    assert submitter("acme").submit(other).is_new


# --- The hint -----------------------------------------------------------------------------------


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], SecretStr]]:
    """A real Redis server with a password."""
    (port,) = servers.free_ports(1)
    command = servers.redis_command(tmp_path / "redis", port, "top-secret-password")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            until_s = time.monotonic() + 30
            while not ports.answers(port) and time.monotonic() < until_s:
                time.sleep(0.05)
            yield server, SecretStr(f"redis://:top-secret-password@127.0.0.1:{port}/0")
        finally:
            server.kill()


def test_a_new_job_is_hinted_at_with_its_id_only(
    local: Settings, wanted: Wanted, redis: tuple[subprocess.Popen[bytes], SecretStr]
) -> None:
    settings = local.model_copy(update={"redis_url": redis[1], "tenant": "acme"})
    submitter = Submitter(settings, LocalStore(Path(local.store_url)))
    request = submitter.submit(wanted).request
    assert submitter.is_reachable
    with Connection(redis[1].get_secret_value()) as connection:
        inbox = connection.SimpleQueue(ADMIT, no_ack=True)
        message = inbox.get(timeout=5)
        inbox.close()
    assert message.content_type == "application/json"
    assert Message.model_validate(message.payload) == Message(tenant="acme", job=request.id)


def test_a_job_is_stored_although_the_broker_is_down(local: Settings, wanted: Wanted) -> None:
    submitter = Submitter(local, LocalStore(Path(local.store_url)))
    assert submitter.submit(wanted).is_new
    assert not submitter.is_reachable


def test_a_broker_that_accepts_and_says_nothing_is_not_waited_for(
    local: Settings, redis: tuple[subprocess.Popen[bytes], SecretStr]
) -> None:
    server, url = redis
    server.send_signal(signal.SIGSTOP)
    started_s = time.monotonic()
    assert not hint.send(local.model_copy(update={"redis_url": url}), JobRef("", "a"))
    assert time.monotonic() - started_s < 5 * hint.PATIENCE_S
    server.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("url", ["amqp://guest:top-secret@127.0.0.1:1//", "nonsense://host"])
def test_no_kind_of_broker_stands_in_the_way(local: Settings, url: str) -> None:
    assert not hint.send(local.model_copy(update={"broker_url": SecretStr(url)}), JobRef("", "a"))

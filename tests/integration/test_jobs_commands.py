"""`voxmill submit` and `voxmill jobs` as a user runs them, on a store that is a folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from queued_book import QueuedBook, go_on, prepared, submitted, unheard

from pipeline.jobs import finishing, tree
from pipeline.jobs.records import load_request
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.store.opening import open_store

VOXMILL = (sys.executable, "-m", "producer.cli.app")
SILENT = ("--engine", "silent", "--check", "off", "--profile", "raw")
PASSWORD = "very-secret-password"


@dataclass(frozen=True)
class Ran:
    code: int
    stdout: str
    stderr: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What `--json` wrote, one object a line."""
        return [json.loads(line) for line in self.stdout.splitlines()]


@dataclass(frozen=True)
class Here:
    """A queue whose store is a folder and whose broker is down."""

    folder: Path
    environment: dict[str, str]

    @property
    def root(self) -> LocalStore:
        return LocalStore(self.folder / "store")

    def run(self, *arguments: object, **environment: str) -> Ran:
        done = subprocess.run(
            [*VOXMILL, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def book(self, name: str, text: str = "It rained. Then it snowed.\n") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def submitted(self, **options: Any) -> QueuedBook:
        """A job that is in the store."""
        return submitted(prepared(self.folder), self.root, str(self.folder / "out"), **options)

    def finish(self, book: QueuedBook) -> None:
        finishing.finish(
            book.request,
            self.root,
            open_store(book.request.body.output, Settings()),
            self.folder / "scratch",
            unheard,
            go_on,
        )


@pytest.fixture
def here(tmp_path: Path) -> Here:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOXMILL_")}
    environment = {
        **kept,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "VOXMILL_STORE_URL": str(tmp_path / "store"),
        "VOXMILL_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0",
        "VOXMILL_S3_ACCESS_KEY_ID": PASSWORD,
        "VOXMILL_S3_SECRET_ACCESS_KEY": PASSWORD,
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    return Here(tmp_path, environment)


# --- submit -------------------------------------------------------------------------------------


def test_submitting_writes_the_id_and_nothing_else_to_stdout(here: Here) -> None:
    here.book("a.txt")
    first = here.run("submit", "a.txt", "--output", "out", *SILENT)
    assert first.code == 0
    assert re.fullmatch(r"a-[0-9a-f]{12}\n", first.stdout)
    assert "the job is stored and will start when it can" in first.stderr
    again = here.run("submit", "a.txt", "--output", "out", *SILENT)
    assert (again.code, again.stdout) == (0, first.stdout)
    assert "there already, queued" in again.stderr


def test_the_same_id_for_another_text_is_a_conflict(here: Here) -> None:
    here.book("a.txt")
    here.book("b.txt", "The sun shone.\n")
    assert here.run("submit", "a.txt", "--output", "out", "--job-id", "mine", *SILENT).code == 0
    other = here.run("submit", "b.txt", "--output", "out", "--job-id", "mine", *SILENT)
    assert other.code == 2
    assert "The job id 'mine' belongs to another request" in other.stderr


def test_a_folder_is_a_job_for_each_book_and_says_what_it_passes_over(here: Here) -> None:
    here.book("books/b.txt")
    here.book("books/sub/a.md")
    here.book("books/cover.jpg")
    ran = here.run("submit", "books", "--output", "out", "--json", *SILENT)
    assert ran.code == 0
    assert "1 other files are passed over: cover.jpg" in ran.stderr
    assert [row["input"] for row in ran.rows] == ["books/b.txt", "books/sub/a.md"]
    assert [(row["state"], row["is_new"]) for row in ran.rows] == [("queued", True)] * 2
    assert all(load_request(row["job"], here.root) for row in ran.rows)


def test_one_id_for_several_inputs_is_refused_before_anything_is_stored(here: Here) -> None:
    here.book("books/b.txt")
    here.book("books/c.txt")
    ran = here.run("submit", "books", "--output", "out", "--job-id", "mine", *SILENT)
    assert ran.code == 2
    assert "one id cannot name 2 jobs" in ran.stderr
    assert not here.root.root.exists()


def test_a_bad_line_of_a_manifest_stops_no_other(here: Here) -> None:
    here.book("list/a.txt")
    lines = [
        {"input": "a.txt", "job_id": "first", "options": {"formats": "mp3", "seed": 7}},
        {"input": "nowhere.txt", "job_id": "second"},
        {"input": "a.txt", "options": {"speed": 9}},
        {"input": "a.txt", "options": {"sped": 1}},
        {"input": "a.txt", "colour": "red"},
        {"input": "a.txt", "job_id": "../x"},
        {"input": "a.txt", "job_id": "last", "priority": "high", "output": "elsewhere"},
    ]
    here.book("list/jobs.jsonl", "\n".join(map(json.dumps, lines)))
    ran = here.run("submit", "list/jobs.jsonl", "--output", "out", "--json", *SILENT)
    assert ran.code == 2
    assert [row["state"] for row in ran.rows] == ["queued", *["refused"] * 5, "queued"]
    for number, words in enumerate(
        ["no such file", "--speed", "no option 'sped'", 'no field "colour"', "is no job id"], 2
    ):
        line = next(each for each in ran.stderr.splitlines() if f"line {number}:" in each)
        assert words in line
    first, last = (load_request(each, here.root) for each in ("first", "last"))
    assert first
    assert last
    assert (first.body.render.formats, first.body.render.seed) == (("mp3",), 7)
    assert first.body.render.engine == "silent"
    assert (last.body.priority, last.body.output) == ("high", str(here.folder / "list/elsewhere"))
    # The corrected manifest makes only what is new.
    lines[1:6] = [{"input": "a.txt", "job_id": "second", "options": {"seed": 8}}]
    here.book("list/jobs.jsonl", "\n".join(map(json.dumps, lines)))
    ran = here.run("submit", "list/jobs.jsonl", "--output", "out", "--json", *SILENT)
    assert ran.code == 0
    assert [row["is_new"] for row in ran.rows] == [False, True, False]


def test_without_an_output_or_a_queue_it_says_what_to_do(here: Here) -> None:
    here.book("a.txt")
    assert "--output s3://bucket/prefix" in here.run("submit", "a.txt", *SILENT).stderr
    ran = here.run("submit", "a.txt", "--output", "out", *SILENT, VOXMILL_STORE_URL="")
    assert ran.code == 2
    assert "voxmill stack up" in ran.stderr
    assert "VOXMILL_STORE_URL" in ran.stderr


def test_no_secret_of_an_address_is_shown(here: Here) -> None:
    ran = here.run(
        "submit", f"https://me:{PASSWORD}@host/a.txt?key={PASSWORD}", "--output", "out", "--json"
    )
    assert ran.code == 2
    assert ran.rows[0]["input"] == "https://host/a.txt"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from producer.cli.app import app\n"
        "try: app(['submit', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'kombu', 'boto3', 'rich.progress', 'pipeline.settings'}\n"
        "print('HEAVY', heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--priority" in done.stdout
    assert "HEAVY set()" in done.stdout


# --- jobs ---------------------------------------------------------------------------------------


def test_jobs_are_listed_the_newest_first_and_by_state(here: Here) -> None:
    for name in ("one", "two", "three"):
        here.book(f"{name}.txt", f"This is {name}.\n")
        here.run("submit", f"{name}.txt", "--output", "out", "--job-id", name, *SILENT)
        time.sleep(1.0)  # the list is sorted by the second
    assert here.run("jobs", "cancel", "two").code == 0
    listed = json.loads(here.run("jobs", "list", "--json").stdout)
    assert [(row["job"], row["state"]) for row in listed] == [
        ("three", "queued"),
        ("two", "cancelled"),
        ("one", "queued"),
    ]
    for options, expected in (
        (("--limit", 1), ["three"]),
        (("--state", "queued"), ["three", "one"]),
        (("--state", "cancelled,failed"), ["two"]),
    ):
        rows = json.loads(here.run("jobs", "list", "--json", *options).stdout)
        assert [row["job"] for row in rows] == expected
    assert here.run("jobs", "list").stdout.splitlines()[1].startswith("two ")
    assert "choose of queued, running" in here.run("jobs", "list", "--state", "lost").stderr


def test_a_finished_job_is_shown_with_its_files_and_links_to_them(here: Here) -> None:
    book = here.submitted()
    book.work()
    assert json.loads(here.run("jobs", "show", "book-1", "--json").stdout)["state"] == "finishing"
    here.finish(book)
    shown = json.loads(here.run("jobs", "show", "book-1", "--json").stdout)
    assert shown["state"] == "succeeded"
    assert shown["progress"]["n_done"] == shown["chunks"]
    assert {Path(file["name"]).suffix for file in shown["outputs"]} >= {".flac", ".srt", ".json"}
    for file in shown["outputs"]:
        path = Path(unquote(urlsplit(file["link"]).path))
        assert path.stat().st_size == file["size_bytes"]
    text = here.run("jobs", "show", "book-1").stdout
    assert "book-1: succeeded" in text
    assert "by A. Writer" in text


def test_what_did_not_pass_is_shown_with_its_text_and_why(here: Here) -> None:
    book = here.submitted()
    book.checker.flagged["river"] = 2
    book.poison = ("noon",)
    book.work()
    here.finish(book)
    shown = json.loads(here.run("jobs", "show", "book-1", "--json").stdout)
    assert shown["state"] == "partial"
    troubles = {each["outcome"]: each for each in shown["troubles"]}
    assert "river had risen" in troubles["flagged"]["text"]
    assert troubles["flagged"]["why"] == "'river' is missing"
    assert "until noon" in troubles["failed"]["text"]
    assert troubles["failed"]["why"] == "the process died"
    assert "These chunks did not pass:" in here.run("jobs", "show", "book-1").stdout


@pytest.mark.parametrize("command", ["show", "watch", "cancel", "retry", "logs", "rm"])
def test_an_unknown_job_names_those_that_may_be_meant(here: Here, command: str) -> None:
    here.submitted(id="the-tide-clock-1")
    ran = here.run("jobs", command, "the-tide-clok-1")
    assert ran.code == 2
    assert "Did you mean the-tide-clock-1?" in ran.stderr
    assert here.run("jobs", command, "../../etc/passwd").code == 2


def test_the_beginning_of_just_one_id_is_enough(here: Here) -> None:
    for name in ("alpha-1", "alpha-2", "beta-1"):
        here.submitted(id=name)
    assert here.run("jobs", "show", "be").stdout.startswith("beta-1: ")
    ran = here.run("jobs", "show", "alpha")
    assert ran.code == 2
    assert "alpha-1 or alpha-2" in ran.stderr or "alpha-2 or alpha-1" in ran.stderr


def test_a_cancelled_job_stays_so_and_a_finished_one_is_not_cancelled(here: Here) -> None:
    done = here.submitted(id="done")
    done.work()
    here.finish(done)
    here.submitted(id="going")
    ran = here.run("jobs", "cancel", "going", "done", "--json")
    assert ran.code == 1
    assert [(row["job"], row["state"]) for row in ran.rows] == [
        ("going", "cancelled"),
        ("done", "succeeded"),
    ]
    assert "had ended: succeeded" in here.run("jobs", "cancel", "done").stdout
    assert here.run("jobs", "cancel", "going").code == 0
    assert here.run("jobs", "watch", "going").code == 1


def test_a_retry_does_only_what_was_not_done(here: Here) -> None:
    book = here.submitted()
    book.work(["0000"])
    assert here.run("jobs", "retry", "book-1").code == 2  # it goes on
    here.run("jobs", "cancel", "book-1")
    ran = here.run("jobs", "retry", "book-1", "--json")
    assert (ran.code, ran.rows) == (0, [{"job": "book-1", "state": "queued"}])
    assert tree.read(here.root, "book-1").rounds == (1,)
    shown = json.loads(here.run("jobs", "show", "book-1", "--json").stdout)
    assert (shown["rounds"], shown["progress"]["n_done"]) == (2, 2)


def test_a_job_is_removed_only_when_it_has_ended_or_by_force(here: Here) -> None:
    book = here.submitted()
    ran = here.run("jobs", "rm", "book-1")
    assert ran.code == 2
    assert "voxmill jobs cancel book-1" in ran.stderr
    book.work()
    here.finish(book)
    assert here.run("jobs", "rm", "book-1", "--outputs").code == 0
    assert not list(here.root.names("jobs"))
    assert not list((here.folder / "out").rglob("*.flac"))
    assert list(here.root.names("chunks"))  # takes stay
    here.submitted(id="other")
    ran = here.run("jobs", "rm", "other", "--force", "--json")
    assert (ran.code, ran.rows) == (0, [{"job": "other", "state": "cancelled"}])
    assert "no jobs yet" in here.run("jobs", "list").stderr


def test_the_history_is_told_in_order(here: Here) -> None:
    book = here.submitted()
    book.work()
    here.run("jobs", "cancel", "book-1")
    told = here.run("jobs", "logs", "book-1", "--json").rows
    assert [each["at_s"] for each in told] == sorted(each["at_s"] for each in told)
    texts = "\n".join(each["text"] for each in told)
    assert "submitted: " in texts
    assert "shard 0000 done: 2 chunks" in texts
    assert "cancelled: cancelled by its owner" in texts
    assert {each["state"] for each in told} == {"cancelled"}
    assert "cancelled by its owner" in here.run("jobs", "logs", "book-1", "--follow").stdout


def test_a_tenants_jobs_are_named_with_the_tenant(here: Here) -> None:
    here.book("a.txt")
    ran = here.run("submit", "a.txt", "--output", "out", "--tenant", "acme", *SILENT)
    ref = ran.stdout.strip()
    assert ref.startswith("acme:a-")
    assert here.run("jobs", "show", ref).code == 0
    assert here.run("jobs", "show", ref.partition(":")[2], VOXMILL_TENANT="acme").code == 0
    assert here.run("jobs", "show", ref.partition(":")[2]).code == 2
    listed = json.loads(here.run("jobs", "list", "--tenant", "acme", "--json").stdout)
    assert [row["job"] for row in listed] == [ref]


# --- watch --------------------------------------------------------------------------------------


@pytest.fixture
def watching(here: Here) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run a command while the test goes on."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*VOXMILL, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=here.folder,
            env=here.environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_watched_job_tells_its_progress_and_its_end(
    here: Here, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    book = here.submitted()
    process = watching("jobs", "watch", "book-1", "--json")
    assert process.stdout
    events = [json.loads(process.stdout.readline())]
    book.work(["0000"])
    events.append(json.loads(process.stdout.readline()))
    book.work()
    events.append(json.loads(process.stdout.readline()))
    here.finish(book)
    events.append(json.loads(process.stdout.readline()))
    assert process.wait(20) == 0
    assert [each["state"] for each in events] == ["queued", "running", "finishing", "succeeded"]
    assert [each["n_done"] for each in events] == sorted(each["n_done"] for each in events)
    assert events[1]["chunks_per_s"] > 0
    assert events[-1]["event"] == "ended"
    assert events[-1]["location"].startswith(str(here.folder / "out"))


def test_flagged_chunks_are_exit_code_3(here: Here) -> None:
    book = here.submitted()
    book.checker.flagged["river"] = 2
    book.work()
    here.finish(book)
    ran = here.run("jobs", "watch", "book-1")
    assert ran.code == 3
    assert "book-1: partial, 1 of" in ran.stderr


def test_ctrl_c_leaves_the_job_and_says_how_to_come_back(
    here: Here, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    here.book("a.txt")
    arguments = ("--output", "out", "--job-id", "mine", "--wait", *SILENT)
    process = watching("submit", "a.txt", *arguments)
    assert process.stdout
    assert process.stdout.readline() == "mine\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "The job goes on. Look again with: voxmill jobs watch mine" in stderr
    assert "voxmill jobs cancel mine" in stderr
    assert "Traceback" not in stderr
    assert not tree.read(here.root, "mine").is_ended

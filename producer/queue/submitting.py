"""An input made a job of the queue: prepared here, stored, and then hinted at."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import names
from pipeline.checking.policy import CheckPolicy
from pipeline.engines import catalogue
from pipeline.errors import RequestError
from pipeline.jobs import submission, tree
from pipeline.jobs.records import load_result
from pipeline.jobs.state import ENDED, State, state_of
from pipeline.manifest.job import JobBody, JobRequest, Priority
from pipeline.manifest.plan import Chunk
from pipeline.planning.summary import summarize
from pipeline.run.events import Event
from pipeline.run.options import RenderOptions
from pipeline.run.prepare import Job, prepare
from pipeline.run.render import find_whisper
from pipeline.run.stages import judges
from pipeline.settings import Settings
from pipeline.store import opening
from pipeline.store.protocol import ObjectStore
from pipeline.web import guard
from producer.queue import deadlines, hint, inputs, quotas

#: Length of the readable part of a job's own id, and of the digest that makes it unique.
SLUG_CHARS, DIGEST_CHARS = 40, 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that somebody wants."""

    #: A path, `s3://bucket/key` or `https://…`.
    input: str
    #: `s3://bucket/prefix`, or a folder.
    output: str
    options: RenderOptions
    priority: Priority = "normal"
    #: None derives it from what is wanted: the same again is the same job.
    job_id: str | None = None
    deadline: str | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that is stored."""

    request: JobRequest
    state: State
    #: Whether there was no such job before.
    is_new: bool


@dataclass(slots=True)
class Submitter:
    """Submits jobs to one queue; what they share is found out once."""

    settings: Settings
    root: ObjectStore
    #: Whether the broker took the last hint; nobody waits for it job after job.
    is_reachable: bool = True
    _checkers: dict[str, str] = field(default_factory=dict)

    def submit(self, wanted: Wanted) -> Submitted:
        """Prepare a job and store it, unless it is there.

        Raises:
            InputError: The input cannot be read or spoken.
            RequestError: The options do not fit, or name what is not allowed.
            ConflictError: The id belongs to another request.
            QuotaError: The tenant has as much at once as it may.
        """
        output = self._output(wanted)
        self._require_webhook(wanted.webhook)
        with inputs.at_hand(wanted.input, self.settings) as path:
            job = self._prepared(path, wanted.options)
        request = self._request(job, wanted, output)
        store = tree.home(self.root, request.ref)
        was_there = store.exists(names.request(request.id))
        if not was_there:
            self._require_acceptable(request)
        standing = submission.write(
            job, request, self._unspeakable(job), self.root, self.settings.shard_chunks
        )
        submitted = self._seen(standing, store, is_new=not was_there)
        if submitted.state not in ENDED:
            self.is_reachable = self.is_reachable and hint.send(self.settings, request.ref)
        return submitted

    def _prepared(self, path: Path, options: RenderOptions) -> Job:
        if options.check not in self._checkers:
            whisper_dir = find_whisper(options, self.settings, _ignore)
            policy = CheckPolicy(mode=options.check)
            self._checkers[options.check] = judges(whisper_dir, policy)
        return prepare(path, options, self.settings, self._checkers[options.check])

    def _unspeakable(self, job: Job) -> submission.Unspeakable:
        options = dict(job.request.engine_options)
        engine = catalogue.load(job.request.engine, self.settings, options)

        def unspeakable(chunk: Chunk) -> tuple[str, ...]:
            return engine.unspeakable(chunk.text, chunk.language)

        return unspeakable

    def _request(self, job: Job, wanted: Wanted, output: str) -> JobRequest:
        body = JobBody(
            render=job.request,
            output=output,
            priority=wanted.priority,
            deadline=wanted.deadline,
            webhook=wanted.webhook,
        )
        created_s = int(time.time())
        deadline_s = deadlines.moment_s(wanted.deadline, created_s) if wanted.deadline else None
        request = JobRequest(
            id=own_id(body) if wanted.job_id is None else wanted.job_id,
            tenant=self.settings.tenant,
            created_s=created_s,
            deadline_s=deadline_s,
            body=body,
            sample_rate_hz=job.recipe.sample_rate_hz,
            n_chunks=len(submission.distinct(job)),
            duration_s=summarize(job.plan).duration_s,
            cover=job.cover.media_type if job.cover else None,
            notes=job.notes,
        )
        assert request.ref  # raises where the id or the tenant is none
        return request

    def _output(self, wanted: Wanted) -> str:
        """Return where files go, written in one way; refuse what cannot be a place for them."""
        opening.require_bucket(wanted.output, self.settings)
        opening.open_store(wanted.output, self.settings)  # raises where that is no place
        if opening.is_s3(wanted.output):
            address = opening.parse(wanted.output)
            return f"s3://{address.bucket}/{address.prefix}".rstrip("/")
        return str(Path(wanted.output).expanduser().absolute())

    def _require_webhook(self, url: str | None) -> None:
        if url is None:
            return
        if self.settings.webhook_secret is None:
            raise RequestError(
                "Webhooks are signed, and there is nothing to sign with. Set "
                "VOXMILL_WEBHOOK_SECRET, here and where `voxmill reconcile` runs."
            )
        guard.require(url, self.settings)

    def _require_acceptable(self, request: JobRequest) -> None:
        """Refuse a new job that could not be done in time, or is more than its tenant may have."""
        if request.deadline_s is not None and request.deadline_s <= time.time():
            raise RequestError(f"The deadline {request.body.deadline} has passed.")
        quotas.require(request.tenant, request.n_chunks, self.root, self.settings)

    def _seen(self, request: JobRequest, store: ObjectStore, *, is_new: bool) -> Submitted:
        if is_new:
            return Submitted(request, "queued", is_new=True)
        found = tree.read(store, request.id)
        result = load_result(request.id, found.round, store) if found.is_ended else None
        return Submitted(request, state_of(found, result), is_new=False)


def own_id(body: JobBody) -> str:
    """Return the id of a job that was given none: readable, and the same for the same wish."""
    plain = unicodedata.normalize("NFKD", body.render.title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:SLUG_CHARS].strip("-")
    return f"{slug or 'job'}-{names.digest(body.asked())[:DIGEST_CHARS]}"


def _ignore(event: Event) -> None:
    """Say nothing of models that are looked for."""
    del event

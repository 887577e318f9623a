"""Log lines: for people as text, for machines as JSON; each says which job, shard and attempt.

No line ever holds a credential: what is known to be secret, and what looks like one, is blotted
out before it is written.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipeline.settings import Settings

log = logging.getLogger(__name__)

BLOT = "***"
#: Users and passwords in addresses, and signatures of S3 requests.
_SECRETS = (
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=x-amz-signature=)[^&\s]+"),
    re.compile(r"(?i)(?<=x-amz-credential=)[^&\s]+"),
    re.compile(r"(?i)(?<=x-amz-security-token=)[^&\s]+"),
    re.compile(r"(?i)(?<=authorization: )[^\r\n]+"),
)
#: Shorter values are no secrets, and would blot out half a log.
MIN_SECRET = 6

_about: ContextVar[Mapping[str, object]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """Add facts to every line logged inside: job, shard, stage, attempt."""
    token = _about.set({**_about.get(), **facts})
    try:
        yield
    finally:
        _about.reset(token)


def configure(settings: Settings, process: str) -> None:
    """Send all log lines of this process to stderr, and what kills it or one of its threads too.

    Args:
        settings: Say the form, and what is secret.
        process: Names this process in each line.
    """
    handler = logging.StreamHandler(sys.stderr)
    form = _Json if settings.log_format == "json" else _Text
    handler.setFormatter(form(process, tuple(secrets(settings))))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("botocore", "boto3", "urllib3", "kombu", "amqp", "celery.bootsteps"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Python itself would write tracebacks as they are.
    sys.excepthook = lambda *error: log.critical("the process ends", exc_info=error)
    threading.excepthook = _thread_ends


def secrets(settings: Settings) -> Iterator[str]:
    """Yield every value that must not be seen, longest first, in each way it may be written."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    known = {_secret(value) for value in values if isinstance(value, SecretStr)}
    written = {form for each in known for form in (each, unquote(each))}
    # As tracebacks and JSON quote them, where they hold quotes and the like.
    quotes = (repr, json.dumps, partial(json.dumps, ensure_ascii=False))
    written |= {quote(each)[1:-1] for each in written for quote in quotes}
    yield from sorted((each for each in written if len(each) >= MIN_SECRET), key=len, reverse=True)


def _secret(value: SecretStr) -> str:
    """Return what is secret in a value: of an address, the password."""
    secret = value.get_secret_value()
    return (urlsplit(secret).password or "") if "://" in secret else secret


def _thread_ends(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else "unknown"
    error = ended.exc_value or ended.exc_type()
    log.critical("the thread %s ends", name, exc_info=error)


class _Form(logging.Formatter):
    def __init__(self, process: str, known: tuple[str, ...]) -> None:
        super().__init__()
        self._process, self._known = process, known

    def _clean(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, BLOT)
        for pattern in _SECRETS:
            text = pattern.sub(BLOT, text)
        return text

    def _said(self, record: logging.LogRecord) -> str:
        """Return the message; one that does not fit its arguments would be shown as it is."""
        try:
            return record.getMessage()
        except (TypeError, ValueError, KeyError):
            return f"{record.msg} {record.args}"

    def _trace(self, record: logging.LogRecord) -> str:
        return self.formatException(record.exc_info) if record.exc_info else ""


class _Text(_Form):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, tz=UTC).astimezone()
        facts = " ".join(f"{name}={value}" for name, value in _about.get().items() if value != "")
        line = f"{time:%Y-%m-%d %H:%M:%S} {record.levelname.lower():<7} {self._said(record)}"
        lines = [f"{line} [{facts}]" if facts else line, self._trace(record)]
        return self._clean("\n".join(filter(None, lines)))


class _Json(_Form):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "process": self._process,
            # Before it is written as JSON, where a secret with quotes would look otherwise.
            "message": self._clean(self._said(record)),
            **{name: self._cleaned(value) for name, value in _about.get().items() if value != ""},
        }
        if trace := self._trace(record):
            line["exception"] = self._clean(trace)
        return json.dumps(line, ensure_ascii=False, default=str)

    def _cleaned(self, value: object) -> object:
        return value if isinstance(value, int | float) else self._clean(str(value))

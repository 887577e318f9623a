"""A cloned voice: whose it is, who agreed to what, and which audio it is made from."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator

from pipeline.manifest.base import Record

#: How much a consent must say, counted as `substance` does: "yes" and "I agree" say nothing.
MIN_STATEMENT = 12
#: The shortest name of an owner: one ideograph, or two letters.
MIN_OWNER = 2
#: They name nobody.
PRONOUNS = frozenset(
    [
        "i",
        "me",
        "we",
        "us",
        "he",
        "she",
        "they",
        "you",
        "我",
        "我们",
        "我們",
        "本人",
        "他",
        "她",
        "私",
    ]
)


def substance(text: str) -> int:
    """Return how much a text says: a letter or digit counts 1, an ideograph or syllable 2."""
    wide = ("W", "F")
    return sum(1 + (unicodedata.east_asian_width(c) in wide) for c in text if c.isalnum())


def _is_owner(owner: str) -> str:
    if substance(owner) < MIN_OWNER or owner.strip().casefold() in PRONOUNS:
        raise ValueError("does not name who owns the voice")
    return owner.strip()


def _is_statement(statement: str) -> str:
    if substance(statement) < MIN_STATEMENT:
        raise ValueError("does not say who agreed, and to what")
    return statement.strip()


class Consent(Record):
    """The owner's permission, without which no voice exists."""

    id: UUID
    owner: Annotated[str, AfterValidator(_is_owner)]
    #: Who agreed, to what use, in the words given.
    statement: Annotated[str, AfterValidator(_is_statement)]
    #: The day it was recorded.
    date: date


class Origin(Record):
    """Where the clip comes from: what was measured when the voice was added."""

    #: Seconds in the recording that was given.
    start_s: float
    end_s: float
    snr_db: float
    #: Overall DNSMOS score, 1 … 5; None where its model is not installed.
    quality: float | None
    #: What Whisper heard in the clip; None for a language it does not know.
    heard: str | None


class Voice(Record):
    """A voice, and the checksums of its audio. The name may change, nothing else does."""

    version: Literal[1] = 1
    uuid: UUID
    name: str
    #: BCP 47 primary tag.
    language: str
    #: What the clip says.
    text: str
    consent: Consent
    created: date
    clip_sha256: str
    aux_sha256: tuple[str, ...] = ()
    origin: Origin
    #: A fine-tune of its own: checkpoints of the GPT and the SoVITS stage, by path or name.
    s1: str | None = None
    s2: str | None = None

    @property
    def revision(self) -> str:
        """The SHA-256 of everything here that changes the sound, in hex.

        What is in a fine-tune's files is not here; engines identify that.
        """
        sound = self.model_dump_json(include={"clip_sha256", "aux_sha256", "text", "language"})
        return hashlib.sha256(sound.encode()).hexdigest()

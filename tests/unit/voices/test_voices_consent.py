from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from pipeline.errors import CorruptObjectError, RequestError
from pipeline.manifest.voice import Consent, Voice
from pipeline.voices import consent


def test_a_consent_has_an_owner_a_date_and_a_name_of_its_own() -> None:
    one = consent.given("Ann Lee, agreed to audiobooks in her voice")
    two = consent.given("Ann Lee, agreed to audiobooks in her voice")
    assert one.owner == "Ann Lee"
    assert one.statement == "Ann Lee, agreed to audiobooks in her voice"
    assert one.date == datetime.now(tz=UTC).date()
    assert one.id != two.id
    assert Consent.decode(one.encode()) == one


def test_the_owner_may_be_told_apart_from_the_statement() -> None:
    given = consent.given("I agree to any use inside the company", owner=" 李明 ")
    assert given.owner == "李明"


def test_a_chinese_consent_is_understood() -> None:
    assert consent.given("李明，同意用于有声书").owner == "李明"


@pytest.mark.parametrize(
    "statement", ["", "   ", "\n\t", "yes", "I agree", "ok, ok", "…, ,,,,,,,,,,,"]
)
def test_a_consent_that_says_nothing_is_refused_with_an_example(statement: str) -> None:
    with pytest.raises(RequestError, match=r"agreed to audiobooks"):
        consent.given(statement, owner="Ann Lee")


@pytest.mark.parametrize(
    "statement",
    ["I, agree to any use of my voice", "agreed to any use of my voice", "我，同意用于有声书"],
)
def test_a_consent_that_names_nobody_is_refused(statement: str) -> None:
    with pytest.raises(RequestError, match="--owner NAME"):
        consent.given(statement)


def test_there_is_no_voice_without_consent(make: Callable[..., Voice]) -> None:
    fields = make().model_dump()
    del fields["consent"]
    with pytest.raises(ValidationError, match="consent"):
        Voice(**fields)
    with pytest.raises(ValidationError, match="consent"):
        Voice(**fields, consent=None)


@pytest.mark.parametrize("change", [{"owner": " "}, {"statement": "yes"}, {"date": "one day"}])
def test_a_record_whose_consent_was_emptied_does_not_decode(
    make: Callable[..., Voice], change: dict[str, str]
) -> None:
    document = json.loads(make().encode())
    document["consent"] |= change
    with pytest.raises(CorruptObjectError, match=f"consent.{next(iter(change))}"):
        Voice.decode(json.dumps(document).encode())


def test_the_revision_depends_on_everything_that_changes_the_sound(
    make: Callable[..., Voice],
) -> None:
    voice = make()
    others = [
        voice.model_copy(update=change)
        for change in (
            {"clip_sha256": "0" * 64},
            {"aux_sha256": ("0" * 64,)},
            {"text": "The lamp was out."},
            {"language": "zh"},
        )
    ]
    assert len({voice.revision, *(other.revision for other in others)}) == 5


def test_the_revision_depends_on_nothing_else(make: Callable[..., Voice]) -> None:
    voice = make()
    change = {"name": "Bea", "consent": consent.given("Ann Lee, agreed to podcasts as well")}
    assert voice.model_copy(update=change).revision == voice.revision

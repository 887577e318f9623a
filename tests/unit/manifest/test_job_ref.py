from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RequestError
from pipeline.manifest.ref import JobRef


@given(
    tenant=st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}|", fullmatch=True),
    job_id=st.from_regex(r"[A-Za-z0-9]([._-]?[A-Za-z0-9_-]){0,31}", fullmatch=True),
)
def test_a_jobs_name_is_read_as_it_was_written(tenant: str, job_id: str) -> None:
    ref = JobRef(tenant, job_id)
    assert JobRef.parse(str(ref)) == ref


def test_the_tenant_without_a_name_is_not_written() -> None:
    assert str(JobRef("", "moby-dick")) == "moby-dick"
    assert str(JobRef("acme", "moby-dick")) == "acme:moby-dick"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "acme:",
        "../plan",
        "a..b",
        "a/b",
        "a\\b",
        "a|b",
        "a b",
        "a\n",
        ".hidden",
        "-rf",
        "é",
        "a" * 65,
        "a:b:c",
        "Acme:job",
        "a_b:job",
        "-a:job",
        "a" * 33 + ":job",
        "../x:job",
    ],
)
def test_what_could_lead_elsewhere_is_no_jobs_name(text: str) -> None:
    with pytest.raises(RequestError):
        JobRef.parse(text)

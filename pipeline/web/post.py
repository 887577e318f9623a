"""JSON told to an address of the web."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3

from pipeline.settings import Settings
from pipeline.web import guard
from pipeline.web.guard import UnreachableError


def post(url: str, body: bytes, headers: Mapping[str, str], settings: Settings) -> int:
    """Post a body and return the HTTP status; redirects are not followed.

    Raises:
        RequestError: The address must not be used.
        UnreachableError: Nobody answers there.
    """
    target = guard.require(url, settings)
    try:
        answer = target.pool().urlopen(
            "POST",
            target.path,
            body=body,
            headers={
                "Host": target.host_header,
                "Content-Type": "application/json",
                "User-Agent": "voxmill",
                **headers,
            },
            redirect=False,
            preload_content=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise UnreachableError(
            f"{guard.without_secrets(url)} does not answer ({type(error).__name__})."
        ) from error
    answer.close()  # nobody reads what it may go on to say, without end
    return answer.status

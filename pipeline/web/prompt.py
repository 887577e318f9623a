"""Connections that wait for an answer only so long, however slowly it trickles in.

A timeout of a socket starts anew with each byte: a server that sends one now and then could hold
whoever asks for days.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

CONNECT_TIMEOUT_S = 5.0
#: Of one read.
READ_TIMEOUT_S = 10.0
#: For the status and all headers.
ANSWER_TIMEOUT_S = 15.0

if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


def timeout() -> urllib3.Timeout:
    """Return how long single steps may take."""
    return urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)


class _Prompt(_Base):
    _is_broken_off = False

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as theirs
        """Return the answer, unless its headers take too long: then the connection is broken."""
        timer = threading.Timer(ANSWER_TIMEOUT_S, self._break_off)
        timer.daemon = True
        timer.start()
        try:
            answer = super().getresponse()
        finally:
            timer.cancel()
        if self._is_broken_off:  # what had come by then reads like all of it
            answer.close()
            raise TimeoutError(f"no answer within {ANSWER_TIMEOUT_S} s")
        return answer

    def _break_off(self) -> None:
        self._is_broken_off = True
        connected = self.sock
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)


class _Http(_Prompt, HTTPConnection):
    """To a server without TLS."""


class _Https(_Prompt, HTTPSConnection):
    """To a server with TLS."""


class HttpPool(urllib3.HTTPConnectionPool):
    """Makes such connections."""

    ConnectionCls = _Http


class HttpsPool(urllib3.HTTPSConnectionPool):
    """Makes such connections."""

    ConnectionCls = _Https

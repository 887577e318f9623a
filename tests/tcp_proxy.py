"""A proxy that spoils connections to a server on demand.

with TcpProxy(port_of_redis) as proxy:
    proxy.delay_s = 2.0   # every question takes so long
    proxy.reset()         # all connections break
    proxy.go_silent()     # all are half-open: open, and nothing comes through any more
    proxy.recover()
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

HOST = "127.0.0.1"
BLOCK_BYTES = 65536


@dataclass(eq=False)
class _Link:
    """The two connections of one client: to us, and from us to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    #: Nothing is passed on any more, and neither end is told.
    is_dead: bool = False


class TcpProxy:
    """A proxy in front of a server on loopback; runs in a thread of its own.

    Args:
        upstream_port: The server's.
        tls: Makes the proxy speak TLS to its clients.
    """

    def __init__(self, upstream_port: int, tls: ssl.SSLContext | None = None) -> None:
        self.upstream_port = upstream_port
        #: How long everything takes on its way to the server; may be changed at any time.
        self.delay_s = 0.0
        self.port = 0
        self._tls, self._is_silent = tls, False
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        self._flowing.set()
        listening = asyncio.start_server(self._serve, HOST, 0, ssl=self._tls)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def n_connections(self) -> int:
        """How many clients are connected."""
        return len(self._links)

    def pause(self) -> None:
        """Hold everything back until `recover`; nothing gets lost."""
        self._do(self._flowing.clear)

    def reset(self) -> None:
        """Break all connections, as the host of a server does that has crashed."""
        self._do(self._reset)

    def forget(self) -> None:
        """Leave all connections half-open for good, as a router does that has lost its tables.

        New ones work.
        """
        self._do(self._forget)

    def go_silent(self) -> None:
        """Leave all connections half-open, and until `recover` new ones too."""
        self._is_silent = True
        self.forget()

    def recover(self) -> None:
        """Do no harm any more; what is half-open stays so."""
        self._is_silent, self.delay_s = False, 0.0
        self._do(self._flowing.set)

    def _do(self, act: Callable[[], None]) -> None:
        """Act in the proxy's thread, and wait until it is done."""

        async def acted() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acted(), self._loop).result(10)

    def _reset(self) -> None:
        for link in self._links:
            _hang_up(link.client)
            _hang_up(link.server)

    def _forget(self) -> None:
        for link in self._links:
            link.is_dead = True

    async def _close(self) -> None:
        self._server.close()
        self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection(HOST, self.upstream_port)
        except OSError:
            _hang_up(client)
            return
        link = _Link(client, server, self._is_silent)
        self._links.add(link)
        try:
            await asyncio.gather(self._there(link, reader), self._back(link, answers))
        finally:
            self._links.discard(link)

    async def _there(self, link: _Link, reader: asyncio.StreamReader) -> None:
        """Pass on what the client says; when it hangs up, so do we."""
        with suppress(OSError):
            while data := await reader.read(BLOCK_BYTES):
                await asyncio.sleep(self.delay_s)
                await self._pass_on(link, link.server, data)
        link.server.close()
        link.client.close()

    async def _back(self, link: _Link, reader: asyncio.StreamReader) -> None:
        """Pass back what the server says; when it hangs up, so do we, unless nobody may know."""
        with suppress(OSError):
            while data := await reader.read(BLOCK_BYTES):
                await self._pass_on(link, link.client, data)
        link.server.close()
        if not link.is_dead:
            link.client.close()

    async def _pass_on(self, link: _Link, end: asyncio.StreamWriter, data: bytes) -> None:
        await self._flowing.wait()
        if not link.is_dead:
            end.write(data)
            await end.drain()


def _hang_up(end: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    raw: socket.socket = end.get_extra_info("socket")
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()

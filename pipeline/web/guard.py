"""Which addresses may be used: nobody makes a worker ask its own network (SSRF).

The address that was checked is the very one that is connected to: a name that answers differently
the second time (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from pipeline.errors import RequestError, TransientError
from pipeline.settings import Settings
from pipeline.web import prompt

PORTS = {"http": 80, "https": 443}
#: What of IPv6 is assigned to the public internet.
IPV6_INTERNET = ipaddress.IPv6Network("2000::/3")
#: IPv4 addresses, as networks that speak only IPv6 write them.
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class UnreachableError(TransientError):
    """A host does not answer, or not now."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address of the web that may be used, and where it leads."""

    scheme: str
    host: str
    port: int
    #: Path and query.
    path: str
    #: The IP address that was checked.
    ip: str

    def pool(self) -> urllib3.HTTPConnectionPool:
        """Return connections to the address that was checked, for the host that was named."""
        if self.scheme == "http":
            return prompt.HttpPool(self.ip, self.port, timeout=prompt.timeout(), retries=False)
        return prompt.HttpsPool(
            self.ip,
            self.port,
            timeout=prompt.timeout(),
            retries=False,
            server_hostname=self.host,
            assert_hostname=self.host,
        )

    @property
    def host_header(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def require(url: str, settings: Settings) -> Target:
    """Return where an address leads, unless it must not be used.

    Plain http, and hosts that are not in public networks, are only for VOXMILL_ALLOWED_HOSTS.

    Raises:
        RequestError: It must not be used; says why.
        UnreachableError: The name of its host is not known now.
    """
    shown = without_secrets(url)
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:  # which may quote a password
        raise RequestError(f"{shown} is no address.") from error
    host = plain_host(parts.hostname or "")
    is_allowed = is_named(host, settings)
    if parts.scheme not in PORTS or not host:
        raise RequestError(f"{shown} is no https:// address.")
    if parts.username is not None or parts.password is not None:
        raise RequestError(f"{shown}: addresses may hold no user and no password.")
    if parts.scheme == "http" and not is_allowed:
        raise RequestError(
            f"{shown}: plain http is only for hosts of VOXMILL_ALLOWED_HOSTS. Use https."
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, _address(host, port, shown, is_allowed))


def plain_host(host: str) -> str:
    """Return a host as the network writes it: `bücher.example` is `xn--bcher-kva.example`.

    Raises:
        RequestError: No host can be called so.
    """
    plain = host.rstrip(".").lower()
    try:
        return plain if plain.isascii() else plain.encode("idna").decode()
    except UnicodeError as error:
        raise RequestError(f"{plain!r} is no name of a host.") from error


def is_named(host: str, settings: Settings) -> bool:
    """Tell whether a host, written plainly, is among VOXMILL_ALLOWED_HOSTS."""
    return host in map(plain_host, settings.allowed_hosts)


def without_secrets(url: str) -> str:
    """Return an address without its user, password and query, for messages."""
    scheme, found, rest = url.partition("://")
    # First what may be a password: one that holds a "?" is cut off whole.
    host_on = rest.rpartition("@")[2]
    return f"{scheme}{found}{host_on.partition('#')[0].partition('?')[0]}"


def is_public(ip: str) -> bool:
    """Tell whether an IP address is one of the public internet."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = _ipv4_within(address)
        if inner is None and address not in IPV6_INTERNET:
            return False
        address = inner or address
    return address.is_global and not address.is_multicast


def _ipv4_within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if address in NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _address(host: str, port: int, shown: str, is_allowed: bool) -> str:
    """Return the IP address to use: none that is private is ever chosen among several."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"{shown}: the host {host} is not known.") from error
    addresses = [str(each[4][0]) for each in found]
    if not is_allowed and not all(map(is_public, addresses)):
        raise RequestError(
            f"{shown}: {host} is in a private network. Allow it with VOXMILL_ALLOWED_HOSTS."
        )
    return addresses[0]

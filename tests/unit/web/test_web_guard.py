"""Nobody makes a worker ask its own network, however the address is written."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pipeline.errors import RequestError
from pipeline.settings import Settings
from pipeline.web import guard
from pipeline.web.guard import UnreachableError

PUBLIC = "93.184.215.14"


class Names:
    """A name service that says what it is told, one answer after another."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (
                socket.AF_INET6 if ":" in ip else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (ip, port, 0, 0) if ":" in ip else (ip, port),
            )
            for ip in found
        ]


def answering(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> Names:
    names = Names(*answers)
    monkeypatch.setattr(socket, "getaddrinfo", names)
    return names


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",  # the metadata of clouds
        "100.64.0.1",  # a carrier's own network
        "0.0.0.0",  # noqa: S104 - refused
        "2130706433",  # 127.0.0.1 as one number
        "0177.0.0.1",  # in octal
        "0x7f.1",  # in hexadecimal
        "127.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",  # IPv4-compatible
        "[64:ff9b::169.254.169.254]",  # through a network's NAT64
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",  # through 6to4
    ],
)
def test_an_address_in_a_private_network_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(RequestError, match=r"private network.*VOXMILL_ALLOWED_HOSTS"):
        guard.require(f"https://{host}/hook", Settings())


@pytest.mark.parametrize(
    "ip",
    [
        PUBLIC,
        "2001:4860:4860::8888",
        "64:ff9b::5db8:d70e",
        "2002:5db8:d70e::1",
        "::ffff:93.184.215.14",
    ],
)
def test_an_address_of_the_internet_is_used(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, (ip,))

    assert guard.require("https://example.org/hook?a=1", Settings()) == guard.Target(
        "https", "example.org", 443, "/hook?a=1", ip
    )


@pytest.mark.parametrize("url", ["https://u:tell-no-one@example.org/", "https://u@example.org/"])
def test_an_address_with_a_user_is_refused_and_the_password_not_repeated(url: str) -> None:
    with pytest.raises(RequestError, match="no user and no password") as caught:
        guard.require(url, Settings())

    assert "tell" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:tell-no-one?x@example.org/",
        "https://u:tell-no-one#x@example.org/",
        "https://u:tell-no-one/x@example.org/",
        "https://example.org/x?token=tell-no-one",
        "https://example.org:tell/",
        "https://[u:tell-no-one@example.org/",
        "https://example.org:99999/?token=tell-no-one",
    ],
)
def test_what_cannot_be_read_as_an_address_is_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, ("10.0.0.1",))

    with pytest.raises(RequestError) as caught:
        guard.require(url, Settings())

    assert "no-one" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://example.org/", "file:///etc/passwd", "https://", "x", ""])
def test_only_addresses_of_the_web_are_used(url: str) -> None:
    with pytest.raises(RequestError, match="is no https:// address"):
        guard.require(url, Settings())


def test_plain_http_is_only_for_hosts_that_were_named() -> None:
    with pytest.raises(RequestError, match="plain http"):
        guard.require("http://127.0.0.1/", Settings())

    assert guard.require("http://127.0.0.1/", Settings(allowed_hosts=("127.0.0.1",))).port == 80


@pytest.mark.parametrize(
    "url", ["http://hooks.internal/", "http://HOOKS.internal./", "https://hooks.internal:8443/x"]
)
def test_a_private_host_that_was_named_is_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ("10.1.2.3",))

    assert guard.require(url, Settings(allowed_hosts=("hooks.internal",))).ip == "10.1.2.3"


@pytest.mark.parametrize("named", ["Bücher.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("asked", ["bücher.example", "BÜCHER.example.", "XN--bcher-kva.example"])
def test_a_host_is_the_same_however_it_is_written(
    asked: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = answering(monkeypatch, ("10.1.2.3",))

    target = guard.require(f"https://{asked}/", Settings(allowed_hosts=(named,)))

    assert target.host_header == "xn--bcher-kva.example"
    assert names.asked == ["xn--bcher-kva.example"]


@pytest.mark.parametrize("host", ["ü" * 64 + ".example", "ü..example"])
def test_what_no_host_can_be_called_is_refused(host: str) -> None:
    with pytest.raises(RequestError, match="is no name of a host"):
        guard.require(f"https://{host}/", Settings())


@pytest.mark.parametrize("other", ["hooks.internal.evil.org", "evilhooks.internal", "internal"])
def test_a_host_that_only_looks_like_one_that_was_named_is_not(
    other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, ("10.1.2.3",))

    with pytest.raises(RequestError, match="private network"):
        guard.require(f"https://{other}/", Settings(allowed_hosts=("hooks.internal",)))


@pytest.mark.parametrize("answer", [(PUBLIC, "10.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "::1")])
def test_a_name_with_one_private_address_among_others_is_refused(
    answer: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, answer)

    with pytest.raises(RequestError, match="private network"):
        guard.require("https://mixed.example.org/", Settings())


def test_a_name_that_answers_otherwise_the_second_time_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = answering(monkeypatch, (PUBLIC,), ("127.0.0.1",))
    connected: list[str] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise OSError("far enough")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    target = guard.require("https://rebinding.example.org/", Settings())

    with pytest.raises(Exception, match="far enough"):
        target.pool().urlopen("GET", target.path)

    assert names.asked == ["rebinding.example.org"]
    assert connected == [PUBLIC]


def test_a_name_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("no")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(UnreachableError, match=r"nowhere\.example\.org is not known"):
        guard.require("https://nowhere.example.org/", Settings())


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://example.org/", "example.org"),
        ("https://example.org:443/", "example.org"),
        ("https://example.org:8443/", "example.org:8443"),
        ("https://[2001:4860:4860::8888]:8443/", "[2001:4860:4860::8888]:8443"),
    ],
)
def test_the_host_is_named_as_the_address_names_it(
    url: str, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, (PUBLIC,))

    assert guard.require(url, Settings()).host_header == header

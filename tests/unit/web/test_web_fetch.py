"""Inputs are fetched only from hosts that were named, and only so much of them."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from web_site import Handler, Web

from pipeline.errors import InputError, RequestError
from pipeline.settings import Settings
from pipeline.web import fetch, prompt
from pipeline.web.guard import UnreachableError

MAX_BYTES = 100_000


def fetched(url: str, folder: Path, settings: Settings) -> Path:
    return fetch.fetch(url, folder, settings, MAX_BYTES)


def test_a_file_is_fetched_under_its_own_name(web: Web, allowing: Settings, tmp_path: Path) -> None:
    url = web.says("/books/The%20Tide.md", b"# A book\n" * 9_000)

    path = fetched(url + "?version=2", tmp_path, allowing)

    assert (path.name, path.read_bytes()) == ("The Tide.md", b"# A book\n" * 9_000)
    ((asked, headers),) = web.asked
    assert asked == "/books/The%20Tide.md?version=2"
    assert headers["Host"] == f"127.0.0.1:{web.port}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/..%2F..%2Fetc%2Fpasswd", "-..-etc-passwd"),
        ("/...", "input"),
        ("/", "input"),
        ("/a%00b.md", "ab.md"),
        ("/" + "x" * 300 + ".md", "x" * 197 + ".md"),
        ("/" + quote("書" * 100) + ".md", "書" * 65 + ".md"),  # a name may have 255 bytes
    ],
)
def test_no_name_leads_out_of_the_folder(
    path: str, name: str, web: Web, allowing: Settings, tmp_path: Path
) -> None:
    url = web.says(path, b"text")

    assert fetched(url, tmp_path, allowing) == tmp_path / name


def test_nothing_is_fetched_from_a_host_that_was_not_named(web: Web, tmp_path: Path) -> None:
    url = web.says("/book.md", b"text")

    with pytest.raises(RequestError, match=r"VOXMILL_ALLOWED_HOSTS: none\. Allow 127\.0\.0\.1"):
        fetched(url, tmp_path, Settings())

    assert not web.asked


def test_an_address_that_is_none_is_refused_without_its_password(
    allowing: Settings, tmp_path: Path
) -> None:
    with pytest.raises(RequestError) as caught:
        fetched("https://[u:tell-no-one@127.0.0.1/", tmp_path, allowing)

    assert "tell" not in str(caught.value)


def test_redirects_are_followed_to_hosts_that_were_named(
    web: Web, allowing: Settings, tmp_path: Path
) -> None:
    web.says("/there.md", b"text")
    url = web.says("/here.md", b"", 302, Location=f"http://localhost:{web.port}/there.md")

    assert fetched(url, tmp_path, allowing) == tmp_path / "there.md"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "//metadata.internal/",
        "http://[half/",
    ],
)
def test_a_redirect_leads_to_no_other_host(
    location: str, web: Web, allowing: Settings, tmp_path: Path
) -> None:
    url = web.says("/book.md", b"", 302, Location=location)

    with pytest.raises(RequestError):
        fetched(url, tmp_path, allowing)

    assert not list(tmp_path.iterdir())


def test_a_redirect_that_never_ends_is_given_up(
    web: Web, allowing: Settings, tmp_path: Path
) -> None:
    url = web.says("/round", b"", 301, Location="/round")

    with pytest.raises(InputError, match="from one place to the next"):
        fetched(url, tmp_path, allowing)

    assert len(web.asked) == fetch.MAX_REDIRECTS + 1


def test_a_file_that_is_not_there_is_named_without_its_query(
    web: Web, allowing: Settings, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"answers 404") as caught:
        fetched(web.url("/gone.md?token=tell-no-one"), tmp_path, allowing)

    assert "tell" not in str(caught.value)
    assert "/gone.md" in str(caught.value)


def test_a_file_that_is_too_large_is_given_up(web: Web, allowing: Settings, tmp_path: Path) -> None:
    url = web.says("/book.md", b"x" * (MAX_BYTES + 1))

    with pytest.raises(InputError, match="larger than 100,000 bytes"):
        fetched(url, tmp_path, allowing)


def test_a_file_without_an_end_is_given_up(web: Web, allowing: Settings, tmp_path: Path) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not web.is_over.is_set():
            handler.wfile.write(b"x" * 10_000)

    web.pages["/book.md"] = endless

    with pytest.raises(InputError, match="larger"):
        fetched(web.url("/book.md"), tmp_path, allowing)


def test_a_file_that_breaks_off_is_not_taken_for_the_whole(
    web: Web, allowing: Settings, tmp_path: Path
) -> None:
    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)

    web.pages["/book.md"] = half

    with pytest.raises(UnreachableError, match="broke off"):
        fetched(web.url("/book.md"), tmp_path, allowing)


def trickling(web: Web, before: bytes) -> str:
    """Serve a byte now and then; return the address."""

    def page(handler: Handler) -> None:
        handler.wfile.write(before)
        while not web.is_over.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    web.pages["/slow.md"] = page
    return web.url("/slow.md")


def test_a_file_that_trickles_in_is_given_up(
    web: Web, allowing: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    started_s = time.monotonic()

    with pytest.raises(InputError, match="takes too long"):
        fetched(trickling(web, b"HTTP/1.1 200 OK\r\n\r\n"), tmp_path, allowing)

    assert time.monotonic() - started_s < 5


def test_headers_that_trickle_in_are_given_up(
    web: Web, allowing: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt, "ANSWER_TIMEOUT_S", 0.3)
    started_s = time.monotonic()

    with pytest.raises(UnreachableError, match="does not answer"):
        fetched(trickling(web, b"HTTP/1.1 200 OK\r\nX: "), tmp_path, allowing)

    assert time.monotonic() - started_s < 5


def test_a_host_where_nobody_listens_may_answer_later(
    web: Web, allowing: Settings, tmp_path: Path
) -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        fetched("http://127.0.0.1:1/book.md", tmp_path, allowing)

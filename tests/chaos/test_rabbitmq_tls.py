"""RabbitMQ over TLS: encrypted, and nobody else believed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rabbit_server import program, rabbit
from servers import START_S, eventually

from producer.stack.ports import answers
from producer.stack.servers import LOOPBACK, free_ports

pytestmark = pytest.mark.skipif(
    program("rabbitmq-server") is None or program("openssl") is None,
    reason="no RabbitMQ or no openssl is installed here (apt-get install rabbitmq-server openssl)",
)

#: Another address of this machine, which the certificate does not tell of.
OTHER = "127.0.0.2"
#: A hint, and a look at the queues: what a producer and what a reconciler does.
ASK = """
from pipeline.manifest.ref import JobRef
from pipeline.settings import Settings
from producer.queue import hint
from workers import app, broker, depths

settings = Settings()
print(hint.send(settings, JobRef("", "a")))
try:
    print(sum(depths.depths(app.create(settings)).values()))
except broker.ERRORS as error:
    print(error)
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the loopback address that no authority has signed."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
         "-subj", "/CN=broker", "-addext", f"subjectAltName=IP:{LOOPBACK}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def port(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    (port,) = free_ports(1)
    settings = f"""
listeners.ssl.1 = {LOOPBACK}:{port}
listeners.ssl.2 = {OTHER}:{port}
ssl_options.cacertfile = {certificate}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {certificate.with_name("key.pem")}
ssl_options.verify = verify_none
"""
    with rabbit(tmp_path_factory.mktemp("broker") / "rabbit", settings):
        eventually(lambda: answers(port), START_S)
        yield port


def asked(url: str, trusted: Path | None) -> list[str]:
    """Return what a process says that trusts a certificate, or only the system's authorities."""
    environment = {
        "VOXMILL_BROKER_URL": url,
        **({"SSL_CERT_FILE": str(trusted)} if trusted else {}),
    }
    return subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()


def test_a_broker_with_a_trusted_certificate_is_used(port: int, certificate: Path) -> None:
    assert asked(f"amqps://guest:guest@{LOOPBACK}:{port}//", certificate) == ["True", "0"]


def test_a_broker_whose_certificate_nobody_vouches_for_gets_no_password(port: int) -> None:
    sent, said = asked(f"amqps://guest:guest@{LOOPBACK}:{port}//", None)
    assert sent == "False"
    assert "certificate verify failed" in said


def test_a_broker_with_the_certificate_of_another_host_gets_no_password(
    port: int, certificate: Path
) -> None:
    sent, said = asked(f"amqps://guest:guest@{OTHER}:{port}//", certificate)
    assert sent == "False"
    assert "certificate verify failed: IP address mismatch" in said

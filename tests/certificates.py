"""Certificates that only those trust who are told to."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from faults import HOST


def own(folder: Path, name: str = "server") -> tuple[Path, ssl.SSLContext]:
    """Make a certificate of loopback, signed by itself; return it, and what serves by it."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context

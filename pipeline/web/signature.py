"""Signatures of webhooks: who receives one can tell that we sent it, and when.

The scheme is that of Stripe and others: HMAC-SHA256 over the time, a dot, and the body.
"""

from __future__ import annotations

import hashlib
import hmac
import re

HEADER = "Voxmill-Signature"
EVENT_HEADER = "Voxmill-Event-Id"
#: Older signatures are refused: somebody may be sending again what was heard long ago.
TOLERANCE_S = 300
_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(body: bytes, secret: str, at_s: int) -> str:
    """Return the header's value: `t=…,v1=…`."""
    return f"t={at_s},v1={_digest(body, secret, at_s)}"


def is_valid(header: str, body: bytes, secret: str, now_s: int) -> bool:
    """Tell whether a signature is ours and fresh."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at, digest = parts.get("t", ""), parts.get("v1", "")
    if not _SECONDS.fullmatch(at) or abs(now_s - int(at)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(_digest(body, secret, int(at)).encode(), digest.encode())


def _digest(body: bytes, secret: str, at_s: int) -> str:
    signed = str(at_s).encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()

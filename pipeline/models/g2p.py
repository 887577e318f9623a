"""The English grapheme-to-phoneme front end, loaded once a process: it takes 120 MB."""

from __future__ import annotations

from functools import cache

from hibari.g2p import G2P


@cache
def english() -> G2P:
    """Return the front end for American English."""
    return G2P()

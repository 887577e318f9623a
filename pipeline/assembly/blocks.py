"""Streams of audio blocks, and how to cut them anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.audio.clip import Samples


def of_size(blocks: Iterable[Samples], n_samples: int) -> Iterator[Samples]:
    """Yield the same audio in blocks of `n_samples`, the last one shorter."""
    pending: list[Samples] = []
    n_pending = 0
    for block in blocks:
        pending.append(block)
        n_pending += len(block)
        if n_pending < n_samples:
            continue
        joined = np.concatenate(pending)
        n_whole = n_pending // n_samples * n_samples
        for start in range(0, n_whole, n_samples):
            yield joined[start : start + n_samples]
        pending, n_pending = [joined[n_whole:].copy()], n_pending - n_whole
    if n_pending:
        yield np.concatenate(pending)

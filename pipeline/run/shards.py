"""Chunks that go through the engine together.

A batch is quickest when its members are of one voice and language and about as long as each other.
What a chunk sounds like does not depend on its shard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pipeline.manifest.plan import Chunk
from pipeline.run.stages import Shard


def cut(chunks: Sequence[Chunk], size: int) -> list[Shard]:
    """Return shards of up to `size` chunks that hold every chunk once.

    With a size of 1 the chunks keep their order; else the longest go first, so that no process is
    left alone with a long shard at the end.
    """
    if size == 1:
        return [(chunk,) for chunk in chunks]
    alike = defaultdict(list)
    for chunk in chunks:
        alike[chunk.voice, chunk.language].append(chunk)
    shards: list[Shard] = []
    for group in alike.values():
        group.sort(key=lambda chunk: (-len(chunk.text), chunk.index))
        shards += [tuple(group[i : i + size]) for i in range(0, len(group), size)]
    return sorted(shards, key=lambda shard: (-len(shard[0].text), shard[0].index))


def halves(shard: Shard) -> list[Shard]:
    """Return a shard as two."""
    middle = len(shard) // 2
    return [shard[:middle], shard[middle:]]

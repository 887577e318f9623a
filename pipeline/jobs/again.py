"""Chunks that were planned before, put into further shards, to be made once more."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from pipeline import names
from pipeline.jobs import records
from pipeline.jobs.submission import AT_ONCE, MIN_SHARD, put_all
from pipeline.jobs.tree import JobTree
from pipeline.manifest.shard import PlannedChunk, ShardPlan
from pipeline.run.shards import cut
from pipeline.store.protocol import ObjectStore


def planned(job_id: str, found: JobTree, store: ObjectStore) -> dict[int, PlannedChunk]:
    """Return every chunk that is spoken, by its index, as the first round planned it."""
    first = [shard for shard in found.shards if records.round_of(shard) == 0]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        shards = list(pool.map(lambda shard: records.load_shard(job_id, shard, store), first))
    return {each.chunk.index: each for shard in shards for each in shard.chunks}


def write_shards(
    job_id: str, number: int, first: int, chunks: Collection[PlannedChunk], store: ObjectStore
) -> None:
    """Write chunks as shards of a round.

    Args:
        job_id: The job.
        number: Of the round.
        first: Number of the first shard.
        chunks: What is in them.
        store: The tenant's.
    """
    known = {each.chunk.index: each for each in chunks}
    prefix = f"r{number}-" if number else ""
    shards = (
        ShardPlan(id=f"{prefix}{i:04d}", chunks=tuple(known[chunk.index] for chunk in together))
        for i, together in enumerate(cut([each.chunk for each in chunks], MIN_SHARD), start=first)
    )
    put_all(((names.shard(job_id, each.id), each.encode()) for each in shards), store)


def mend(job_id: str, found: JobTree, indices: Collection[int], store: ObjectStore) -> int:
    """Have chunks made again in the current round, since what was made of them is lost.

    Their receipts stay, as all that is written does: the later shard's word counts.

    Returns:
        How many chunks are made again.
    """
    known = planned(job_id, found, store)
    lost = [each for index, each in known.items() if index in indices]
    own = [shard for shard in found.shards if records.round_of(shard) == found.round]
    last = max((int(shard.rpartition("-")[2]) for shard in own), default=-1)
    write_shards(job_id, found.round, last + 1, lost, store)
    return len(lost)

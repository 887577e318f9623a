"""Written text against heard text: which words are missing, extra, repeated, other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from pipeline.checking.spoken import comparable, sound, sound_of
from pipeline.manifest.marks import DefectKind

#: Words whose sounds differ by less than this share are taken for the same when parted from others.
SAME_SOUND = 0.4
#: Heard words in a stretch that is still worth parting.
MAX_PARTED = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of words that was written otherwise than it was heard."""

    written: tuple[str, ...]
    heard: tuple[str, ...]
    #: The written words before the stretch.
    before: tuple[str, ...]
    #: Share of the sounds that differ, 0 … 1.
    distance: float
    #: Sounds that differ; letters in languages that are compared as written.
    n_sounds: int
    #: Index of the first written word of the stretch among the comparable words.
    at: int
    is_last: bool

    @property
    def kind(self) -> DefectKind:
        """What went wrong."""
        if not self.heard:
            return "truncated" if self.is_last else "missing"
        if not self.written:
            return "repeated" if _ends_with(self.before, self.heard) else "extra"
        return "substituted"

    @property
    def detail(self) -> str:
        """What went wrong, naming the words."""
        written, heard = " ".join(self.written), " ".join(self.heard)
        after = f"after {self.before[-1]!r}" if self.before else "at the start"
        if self.kind == "substituted":
            return f"{written!r} was heard as {heard!r} {after}"
        if self.kind in ("missing", "truncated"):
            return f"{written!r} is missing {after}"
        return f"{heard!r} is {'repeated' if self.kind == 'repeated' else 'extra'} {after}"


def differences(text: str, transcript: str, language: str) -> list[Difference]:
    """Return where a transcript differs from the text, in order; what sounds alike is equal."""
    if sound_of(text, language) == sound_of(transcript, language):
        return []
    return differences_of(comparable(text, language), comparable(transcript, language), language)


def differences_of(written: Sequence[str], heard: Sequence[str], language: str) -> list[Difference]:
    """Return where comparable words were heard otherwise than written."""
    found = [
        _difference(written, heard, part, language)
        for block in unequal(written, heard)
        for part in _parts(written, heard, block, language)
    ]
    return [difference for difference in found if difference.distance > 0]


Block = tuple[int, int, int, int]


def unequal(written: Sequence[str], heard: Sequence[str]) -> list[Block]:
    """Return the unequal stretches: written[a:b] stands against heard[c:d]."""
    opcodes = Levenshtein.opcodes(written, heard)
    blocks: list[Block] = []
    for op in opcodes:
        if op.tag == "equal":
            continue
        block = (op.src_start, op.src_end, op.dest_start, op.dest_end)
        if blocks and blocks[-1][1] == block[0] and blocks[-1][3] == block[2]:
            block = (blocks[-1][0], block[1], blocks[-1][2], block[3])
            blocks.pop()
        blocks.append(block)
    return blocks


def _parts(
    written: Sequence[str], heard: Sequence[str], block: Block, language: str
) -> list[Block]:
    """Part words that were added from those that only sound alike: "the fairy" for "ferry".

    What sounds alike as a whole ("walla bell" for "wallabelle") stays whole, unless the words
    before it are heard again.
    """
    a, b, c, d = block
    if not 0 < b - a < d - c <= MAX_PARTED:
        return [block]
    mine = sound(written[a:b], language)
    spans = [(i, j) for i in range(c, d) for j in range(i + 1, d + 1)]
    distances = {(i, j): _distance(mine, sound(heard[i:j], language)) for i, j in spans}
    i, j = min(spans, key=lambda span: (distances[span], span[0] - span[1]))
    is_again = i > c and _ends_with(written[:a], heard[c:i])
    if distances[i, j] > SAME_SOUND or not (distances[c, d] > SAME_SOUND or is_again):
        return [block]
    parts = [(a, a, c, i), (a, b, i, j), (b, b, j, d)]
    return [part for part in parts if part[0] < part[1] or part[2] < part[3]]


def _distance(mine: str, theirs: str) -> float:
    return float(Levenshtein.normalized_distance(mine, theirs))


def _difference(
    written: Sequence[str], heard: Sequence[str], block: Block, language: str
) -> Difference:
    a, b, c, d = block
    mine, theirs = sound(written[a:b], language), sound(heard[c:d], language)
    return Difference(
        written=tuple(written[a:b]),
        heard=tuple(heard[c:d]),
        before=tuple(written[:a]),
        distance=_distance(mine, theirs),
        n_sounds=Levenshtein.distance(mine, theirs),
        at=a,
        is_last=b == len(written),
    )


def _ends_with(words: Sequence[str], tail: Sequence[str]) -> bool:
    return len(words) >= len(tail) and list(words[-len(tail) :]) == list(tail)

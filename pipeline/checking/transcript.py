"""Written text against heard text: which words are missing, extra, repeated, other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from pipeline.checking.spoken import comparable, sound, sound_of
from pipeline.manifest.marks import DefectKind


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of words that was written otherwise than it was heard."""

    written: tuple[str, ...]
    heard: tuple[str, ...]
    #: The written words before the stretch.
    before: tuple[str, ...]
    #: Share of the sounds that differ, 0 … 1.
    distance: float
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
    found = [_difference(written, heard, block, language) for block in _blocks(written, heard)]
    return [difference for difference in found if difference.distance > 0]


_Block = tuple[int, int, int, int]


def _blocks(written: Sequence[str], heard: Sequence[str]) -> list[_Block]:
    """Return the unequal stretches: written[a:b] stands against heard[c:d]."""
    opcodes = Levenshtein.opcodes(written, heard)
    blocks: list[_Block] = []
    for op in opcodes:
        if op.tag == "equal":
            continue
        block = (op.src_start, op.src_end, op.dest_start, op.dest_end)
        if blocks and blocks[-1][1] == block[0] and blocks[-1][3] == block[2]:
            block = (blocks[-1][0], block[1], blocks[-1][2], block[3])
            blocks.pop()
        blocks.append(block)
    return blocks


def _difference(
    written: Sequence[str], heard: Sequence[str], block: _Block, language: str
) -> Difference:
    a, b, c, d = block
    mine, theirs = sound(written[a:b], language), sound(heard[c:d], language)
    return Difference(
        written=tuple(written[a:b]),
        heard=tuple(heard[c:d]),
        before=tuple(written[:a]),
        distance=float(Levenshtein.normalized_distance(mine, theirs)),
        at=a,
        is_last=b == len(written),
    )


def _ends_with(words: Sequence[str], tail: Sequence[str]) -> bool:
    return len(words) >= len(tail) and list(words[-len(tail) :]) == list(tail)

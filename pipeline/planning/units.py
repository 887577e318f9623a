"""Script → units: every sentence with all that decides its chunk and the pause after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.errors import InputError
from pipeline.manifest.script import Block, Script, Span
from pipeline.planning.characters import has_words
from pipeline.planning.sentences import sentences
from pipeline.planning.voices import voice_of


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence of the script, with a word in it."""

    #: As in the source, with the white space that separates it from the next one.
    text: str
    chapter: int
    #: Ordinal of the block in the script, and of the stretch between two scene breaks.
    block: int
    scene: int
    voice: str
    speaker: str | None
    language: str
    is_heading: bool
    #: From a pause mark in the text.
    pause_after_ms: int | None = None

    def may_share_chunk_with(self, following: Unit) -> bool:
        """Tell whether the next sentence may be spoken in one breath with this one."""
        return self.pause_after_ms is None and (
            (self.block, self.voice, self.speaker, self.language)
            == (following.block, following.voice, following.speaker, following.language)
        )


def units(script: Script, speaker_voices: Mapping[str, str], default_voice: str) -> list[Unit]:
    """Return the sentences of the script in order.

    Text without a word ("***") goes with the sentence before it, at the start of a chapter or
    of a paragraph with words with the one after it; a paragraph of such text is a scene break.

    Raises:
        InputError: There is not one word in the script.
    """
    builder = _Builder(script.language, speaker_voices, default_voice)
    for index, chapter in enumerate(script.chapters):
        builder.start_chapter(index)
        for block in chapter.blocks:
            builder.add(block)
    if not builder.units:
        name = script.sources[0].name if script.sources else script.title
        raise InputError(name, "There is nothing to speak in it.", remedy="Give a text with words.")
    builder.attach_pending()
    return builder.units


class _Builder:
    """Collects units; holds back text without words until it is clear where it goes."""

    def __init__(self, language: str, speaker_voices: Mapping[str, str], voice: str) -> None:
        self.units: list[Unit] = []
        self._language, self._speaker_voices, self._voice = language, speaker_voices, voice
        self._chapter = self._block = self._scene = 0
        self._pending = ""

    def start_chapter(self, index: int) -> None:
        self._chapter = index

    def add(self, block: Block) -> None:
        self._block += 1
        if not has_words(block.text):
            self._scene += 1
        for span in block.spans:
            if has_words(span.text):
                self.units.extend(self._units_of(span, block))
            else:
                self._hold_back(span)
            if span.pause_after_ms is not None:
                self._pause(span.pause_after_ms)
        if self.units and self.units[-1].chapter == self._chapter:
            self.attach_pending()

    def attach_pending(self) -> None:
        """Add the held back text to the last sentence."""
        if self._pending:
            self._add_to_last(self._pending)
            self._pending = ""

    def _hold_back(self, span: Span) -> None:
        if self.units and self.units[-1].block == self._block:
            self._add_to_last(span.text)
        elif span.text.strip():
            self._pending += span.text.strip() + " "

    def _add_to_last(self, text: str) -> None:
        if text.strip():
            last = self.units[-1]
            self.units[-1] = replace(last, text=f"{last.text.rstrip()} {text.strip()} ")

    def _pause(self, pause_ms: int) -> None:
        """Set or lengthen the pause after the last sentence; before the first there is none."""
        if self.units:
            last = self.units[-1]
            self.units[-1] = replace(last, pause_after_ms=(last.pause_after_ms or 0) + pause_ms)

    def _units_of(self, span: Span, block: Block) -> Iterator[Unit]:
        language = block.language or self._language
        text, self._pending = f"{self._pending}{span.text.strip()} ", ""
        for sentence in sentences(text, language):
            yield Unit(
                text=sentence,
                chapter=self._chapter,
                block=self._block,
                scene=self._scene,
                voice=voice_of(span, self._speaker_voices, self._voice),
                speaker=span.speaker,
                language=language,
                is_heading=block.kind == "heading",
            )

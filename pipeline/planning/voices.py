"""Who speaks: the voice named in the text, else the speaker's, else the default one."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.manifest.script import Script, Span


def voice_of(span: Span, speaker_voices: Mapping[str, str], default: str) -> str:
    """Return the voice of a span."""
    return span.voice or _voice_of_speaker(span.speaker, speaker_voices) or default


def speakers_without_voice(script: Script, speaker_voices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the speakers who will be read in the default voice, in order of appearance."""
    silent = {
        span.speaker: None
        for chapter in script.chapters
        for block in chapter.blocks
        for span in block.spans
        if span.speaker
        and not span.voice
        and _voice_of_speaker(span.speaker, speaker_voices) is None
    }
    return tuple(silent)


def _voice_of_speaker(speaker: str | None, speaker_voices: Mapping[str, str]) -> str | None:
    if speaker is None:
        return None
    folded = {name.strip().casefold(): voice for name, voice in speaker_voices.items()}
    return folded.get(speaker.strip().casefold())

"""Word errors of a transcript against the text it should be, after the usual normalisation."""

from __future__ import annotations

from pathlib import Path

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from pipeline.manifest.script import Script
from pipeline.reading.read import ReadOptions, read_script


def word_error_rate(book: Path, transcript: str) -> float:
    """Return the WER of a transcript against what the book says, headings included."""
    normalize = EnglishTextNormalizer()
    script = read_script(book, ReadOptions())
    return float(jiwer.wer(normalize(spoken(script)), normalize(transcript)))


def spoken(script: Script) -> str:
    """Return all that is spoken of a script."""
    return " ".join(block.text for chapter in script.chapters for block in chapter.blocks)

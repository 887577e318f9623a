"""How long a text will take to speak, before it is spoken."""

from __future__ import annotations

from pipeline.manifest.plan import Chunk

#: Letters, digits and CJK letters a second, at an audiobook's pace.
_LETTERS_PER_S = {"en": 14.0}
_DEFAULT_LETTERS_PER_S = 14.0


def estimate_s(chunk_or_text: Chunk | str, language: str) -> float:
    """Return the estimated duration of the speech, without the pause after it, in seconds."""
    text = chunk_or_text if isinstance(chunk_or_text, str) else chunk_or_text.text
    return len(text) / _LETTERS_PER_S.get(language, _DEFAULT_LETTERS_PER_S)

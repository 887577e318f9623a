"""Chunks of a word or two ("Five", "No!"), on which Whisper is at its worst.

Without a sentence around it the small model writes a word down two or more times, prefers digits so
much that the word itself seems impossible, and mishears what is only a sound or two.
"""

from __future__ import annotations

from pipeline.checking.policy import Limits
from pipeline.checking.spoken import comparable, plain, sound, sound_of


def fitting(transcript: str, speech_s: float, language: str, limits: Limits) -> str:
    """Return a transcript without the repetitions that there is no time for.

    Only a transcript that is nothing but one phrase over and over is cut, to as many times as can
    be said in the time; a voice that does say it twice takes twice as long.

    Args:
        transcript: What Whisper heard.
        speech_s: From the first sound to the last.
        language: BCP 47 primary tag.
        limits: Limits for it.
    """
    words = plain(transcript, language)
    if not words:
        return transcript
    phrase = _phrase(words)
    least_s = limits.quick_phrase_s + limits.quick_sound_s * len(sound(phrase, language))
    n_fitting = max(1, int(speech_s / least_s))
    return " ".join(phrase * n_fitting) if n_fitting < len(words) // len(phrase) else transcript


def is_no_guess(word: str, text: str, language: str) -> bool:
    """Tell whether Whisper cannot have guessed a word from the others: alone, or a number."""
    is_alone = len(comparable(text, language)) == 1
    return is_alone or any(part.isdigit() for part in comparable(word, language))


def is_beyond_hearing(text: str, heard: str, language: str, limits: Limits) -> bool:
    """Tell whether text and transcript are both so short that Whisper cannot tell them apart."""
    written, other = (len(sound_of(each, language)) for each in (text, heard))
    return written <= limits.tiny_sounds and 0 < other <= limits.tiny_sounds


def _phrase(words: list[str]) -> list[str]:
    """Return the shortest phrase that, said over and over, gives all the words."""
    lengths = (n for n in range(1, len(words)) if len(words) % n == 0)
    return next((words[:n] for n in lengths if words[:n] * (len(words) // n) == words), words)

"""The words of a recording: what Whisper hears, what the given text says, and when each is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Levenshtein

from pipeline.assembly.alignment.words import split_words
from pipeline.audio.clip import Clip
from pipeline.audio.energy import SpeechSpan
from pipeline.checking.spoken import comparable
from pipeline.checking.transcript import differences
from pipeline.errors import MissingToolError
from pipeline.models.boundaries import UNSPACED
from pipeline.models.whisper import AlignedWord, Whisper

#: Whisper hears a recording in stretches of runs of speech up to this long.
STRETCH_S = 20.0
#: English words whose sounds differ by less than this share are only written otherwise.
SAME_SOUND = 0.4
#: Share of words (zh: syllables; ja, ko: characters) that may be heard otherwise than written, in
#: the whole recording and in the chosen clip. The small model is less sure outside English.
WHOLE = {"en": 0.25, "zh": 0.35, "yue": 0.35, "ja": 0.45, "ko": 0.45}
CLIP = {"en": 0.15, "zh": 0.30, "yue": 0.30, "ja": 0.40, "ko": 0.40}
DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a recording, and what is heard in it."""

    #: Samples of the recording.
    start: int
    end: int
    heard: str


def hear(clip: Clip, runs: Sequence[SpeechSpan], language: str, whisper: Whisper) -> list[Stretch]:
    """Return what Whisper hears in a recording, in order."""
    most = int(STRETCH_S * clip.sample_rate_hz)
    spans: list[tuple[int, int]] = []
    for run in runs:
        if spans and run.end - spans[-1][0] <= most:
            spans[-1] = (spans[-1][0], run.end)
        else:
            spans.append((run.start, run.end))
    return [
        Stretch(start, end, whisper.transcribe(_cut(clip, start, end), language))
        for start, end in spans
    ]


def joined(heard: Sequence[str], language: str) -> str:
    """Return texts as one, with a space between them where the language has any."""
    return ("" if language in UNSPACED else " ").join(text.strip() for text in heard)


def disagreement(text: str, heard: str, language: str) -> float:
    """Return the share of the text's words that are heard otherwise, 0 … 1 and more."""
    written = _compared(text, language)
    if not written:
        return 1.0
    if language == "en":
        found = [each for each in differences(text, heard, "en") if each.distance > SAME_SOUND]
        return sum(max(len(each.written), len(each.heard)) for each in found) / len(written)
    return Levenshtein.distance(written, _compared(heard, language)) / len(written)


def timed(
    clip: Clip, text: str, stretches: Sequence[Stretch], language: str, whisper: Whisper
) -> list[AlignedWord]:
    """Return when each word of the text is spoken; joined, the words of a part are its text."""
    words: list[AlignedWord] = []
    parts = divided(text, [stretch.heard for stretch in stretches], language)
    for stretch, part in zip(stretches, parts, strict=True):
        start_s = stretch.start / clip.sample_rate_hz
        piece = _cut(clip, stretch.start, stretch.end)
        lead = "" if not words or language in UNSPACED else " "
        for word in whisper.align(piece, part, language, precise=True):
            words.append(
                replace(
                    word,
                    text=lead + word.text,
                    start_s=word.start_s + start_s,
                    end_s=word.end_s + start_s,
                )
            )
            lead = ""
    return words


def divided(text: str, heard: Sequence[str], language: str) -> list[str]:
    """Divide a text into what is said in each of the stretches in which something was heard."""
    starts, owners, written = _words(text, language)
    theirs = [_compared(part, language) for part in heard]
    flat = [word for part in theirs for word in part]
    edits = Levenshtein.opcodes(written, flat)
    cuts, reached = [0], 0
    for part in theirs[:-1]:
        reached += len(part)
        at = next(
            (
                edit.src_start + min(reached - edit.dest_start, edit.src_end - edit.src_start)
                for edit in edits
                if edit.dest_start <= reached <= edit.dest_end
            ),
            0,
        )
        cuts.append(starts[owners[at]] if at < len(written) else len(text))
    return [text[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


def _words(text: str, language: str) -> tuple[list[int], list[int], list[str]]:
    """Return where each word starts, and the comparable words with the word that each is of."""
    starts: list[int] = []
    owners: list[int] = []
    written: list[str] = []
    reached = 0
    for word in split_words(text, language):
        reached = text.index(word, reached)
        starts.append(reached)
        reached += len(word)
        compared = _compared(word, language)
        owners += [len(starts) - 1] * len(compared)
        written += compared
    return starts, owners, written


def _compared(text: str, language: str) -> list[str]:
    """Return the units in which texts are compared.

    Chinese characters are compared by their sound, since Whisper writes homophones, and
    traditional characters for simplified ones; Korean by syllables, since its spaces vary.
    """
    words = comparable(text, language)
    if language in ("zh", "yue"):
        return [_syllable(character) for character in words]
    return list("".join(words)) if language == "ko" else words


def _syllable(character: str) -> str:
    try:
        from pypinyin import lazy_pinyin  # noqa: PLC0415 - only Chinese voices need it
    except ImportError as error:
        raise MissingToolError(
            "Chinese voices need pypinyin. Get it with: pip install 'voxmill[gpt-sovits]'"
        ) from error
    return "".join(lazy_pinyin(DIGITS.get(character, character)))


def _cut(clip: Clip, start: int, end: int) -> Clip:
    """Return a part of a clip with a little of what is around it."""
    margin = clip.sample_rate_hz // 20
    return Clip(clip.samples[max(0, start - margin) : end + margin], clip.sample_rate_hz)

"""From a recording to the reference a voice is cloned from, or the reason why it cannot be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio.clip import Clip
from pipeline.checking.transcript import differences
from pipeline.errors import InputError, LanguageError
from pipeline.manifest.voice import Origin
from pipeline.models.whisper import Whisper
from pipeline.voices import (
    activity,
    cleaning,
    dnsmos,
    frames,
    music,
    recording,
    spans,
    speakers,
    wording,
)
from pipeline.voices.activity import Activity
from pipeline.voices.recording import Recording
from pipeline.voices.spans import Candidate

#: What the cloning engine speaks.
LANGUAGES = {"zh": "Chinese", "en": "English", "ja": "Japanese", "ko": "Korean", "yue": "Cantonese"}
#: Below this the loudest parts are silence (dBFS).
SILENT_DB = -50.0
#: Seconds of speech, of a voice and of one more recording of it.
MIN_SPEECH_S, MIN_AUX_SPEECH_S = 3.0, 1.5
#: Noise closer under the speech than this is cloned with it.
MIN_SNR_DB = 18.0
#: Candidates whose quality is predicted, and candidates that Whisper listens to.
N_RATED, N_HEARD = 6, 5
#: How much a message shows: of a transcript, and of how it differs from the text.
MAX_SHOWN, N_DETAILS = 200, 3

RECORD_AGAIN = "Record it again in a quiet room, close to the microphone."


@dataclass(frozen=True, slots=True)
class Reference:
    """A cleaned clip, what it says, and where it comes from."""

    clip: Clip
    text: str
    origin: Origin


def prepare(path: Path, text: str | None, language: str, whisper: Whisper) -> Reference:
    """Return the best few seconds of a recording.

    Args:
        path: About a minute of one person's clean speech.
        text: What is said in all of it; None to have Whisper write it down.
        language: The language spoken in it.
        whisper: Listens.

    Raises:
        InputError: The recording cannot be used, or the text is not what is said.
        LanguageError: No engine clones voices of this language.
    """
    language = require_language(path, language)
    text = " ".join((text or "").split()) or None
    given = recording.read(path)
    heard = _usable(given, MIN_SPEECH_S)
    if not whisper.knows(language):
        return _unheard(given, heard, text, LANGUAGES[language])
    found = _worded(given, heard, text, language, whisper)
    return _chosen(given, heard, found, language, whisper)


def prepare_aux(path: Path) -> Clip:
    """Return the best seconds of one more recording of a person; what is said does not matter.

    Raises:
        InputError: The recording cannot be used.
    """
    given = recording.read(path)
    heard = _usable(given, MIN_AUX_SPEECH_S)
    found = spans.silent_candidates(heard.runs, heard.sample_rate_hz)
    ranked = [*_ranked(given, found), _beginning(heard)]
    best = next((each for each in ranked if not _is_clipped(given, each)), None)
    if best is None:
        raise _clipped(path)
    return cleaning.cut(given.clip, best.start, best.end)


def require_language(path: Path, language: str) -> str:
    """Return the primary tag of a language that voices can have.

    Raises:
        LanguageError: It is none of them.
    """
    tag = language.strip().replace("_", "-").split("-")[0].casefold()
    if tag in LANGUAGES:
        return tag
    known = ", ".join(f"{tag} ({name})" for tag, name in LANGUAGES.items())
    raise LanguageError(
        path,
        f"no engine clones a voice that speaks {language!r}.",
        remedy=f"Give --language as one of: {known}.",
    )


def _usable(given: Recording, min_speech_s: float) -> Activity:
    """Return when there is speech, after refusing what no voice can be made from."""
    heard = activity.listen(given.clip)
    if heard.loud_db < SILENT_DB:
        raise InputError(given.path, "nothing is heard in it.", remedy=RECORD_AGAIN)
    coarse = given.clip.resampled(frames.RATE_HZ)
    if music.steadiness(coarse.samples) > music.MUSIC:
        problem = "it holds music: tones that keep their pitch as no speaking voice does."
        raise InputError(given.path, problem, remedy="Give speech without music.")
    if heard.speech_s < min_speech_s:
        raise InputError(
            given.path,
            # Rounded down, or 2.96 s would be told to be the 3.0 s that are asked for.
            f"too short: {math.floor(10 * heard.speech_s) / 10:.1f} s of speech.",
            remedy=f"Give at least {min_speech_s:g} s; about a minute is best.",
        )
    if heard.snr_db < MIN_SNR_DB:
        problem = (
            f"too noisy: the speech is only {heard.snr_db:.0f} dB above what is heard besides."
        )
        raise InputError(given.path, problem, remedy=RECORD_AGAIN)
    if speakers.difference(coarse.samples, activity.listen(coarse).runs) > speakers.TWO_SPEAKERS:
        problem = "it sounds like two speakers, or like two different recordings."
        raise InputError(given.path, problem, remedy="Give one person, recorded in one place.")
    return heard


def _worded(
    given: Recording, heard: Activity, text: str | None, language: str, whisper: Whisper
) -> list[Candidate]:
    """Return the spans that may be chosen, with their texts, the best first."""
    clip = given.clip
    if text is None:
        _require_heard(given, language, whisper)
    stretches = wording.hear(clip, heard.runs, language, whisper)
    transcript = wording.joined([stretch.heard for stretch in stretches], language)
    if not any(map(str.isalnum, transcript)):
        raise InputError(given.path, "no words are heard in it.", remedy=RECORD_AGAIN)
    if text and wording.disagreement(text, transcript, language) > wording.WHOLE[language]:
        raise _mismatch(given.path, text, transcript, language)
    text = text or " ".join(transcript.split())
    if _length_s(heard) <= spans.LONGEST_S:
        return [_whole(heard, text)]
    words = wording.timed(clip, text, stretches, language, whisper)
    return spans.candidates(heard.runs, words, heard.sample_rate_hz)


def _require_heard(given: Recording, language: str, whisper: Whisper) -> None:
    """Refuse to write down another language than is spoken."""
    found = whisper.detect_language(given.clip)
    if found != language:
        raise InputError(
            given.path,
            f"it sounds like {LANGUAGES.get(found, repr(found))}, not {LANGUAGES[language]}.",
            remedy="Correct --language, or give --text.",
        )


def _chosen(
    given: Recording,
    heard: Activity,
    found: Sequence[Candidate],
    language: str,
    whisper: Whisper,
) -> Reference:
    """Return the best span in which Whisper hears what the text says."""
    if not found:
        raise InputError(
            given.path,
            "no 3 to 10 s of it lie between two pauses.",
            remedy="Pause between sentences, or cut out 3 to 10 s yourself, with their text.",
        )
    unclipped = [each for each in found if not _is_clipped(given, each)]
    if not unclipped:
        raise _clipped(given.path)
    transcript = ""
    for candidate in _ranked(given, unclipped)[:N_HEARD]:
        clip = cleaning.cut(given.clip, candidate.start, candidate.end)
        transcript = whisper.transcribe(clip, language)
        if wording.disagreement(candidate.text, transcript, language) <= wording.CLIP[language]:
            return _reference(clip, candidate, heard, transcript)
    raise _mismatch(given.path, candidate.text, transcript, language)


def _unheard(given: Recording, heard: Activity, text: str | None, language: str) -> Reference:
    """Return the whole of a short recording whose language Whisper does not know."""
    if text is None:
        problem = f"Whisper does not know {language} and cannot write down what is said."
        raise InputError(given.path, problem, remedy="Give --text.")
    if not spans.SHORTEST_S <= _length_s(heard) <= spans.LONGEST_S:
        problem = f"Whisper does not know {language} and cannot tell what each part of it says."
        raise InputError(given.path, problem, remedy="Give 3 to 10 s, and their --text.")
    whole = _whole(heard, text)
    if _is_clipped(given, whole):
        raise _clipped(given.path)
    return _reference(cleaning.cut(given.clip, whole.start, whole.end), whole, heard, None)


def _reference(
    clip: Clip, candidate: Candidate, heard: Activity, transcript: str | None
) -> Reference:
    model = dnsmos.load()
    origin = Origin(
        start_s=round(candidate.start / heard.sample_rate_hz, 3),
        end_s=round(candidate.end / heard.sample_rate_hz, 3),
        snr_db=round(heard.snr_db, 1),
        quality=round(model.overall(clip), 2) if model else None,
        heard=transcript,
    )
    return Reference(clip, candidate.text, origin)


def _ranked(given: Recording, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates, the first few ordered by predicted quality too where it is known."""
    model = dnsmos.load()
    if model is None or len(found) < 2:
        return list(found)
    scored = {
        each: each.score + model.overall(cleaning.cut(given.clip, each.start, each.end))
        for each in found[:N_RATED]
    }
    return [*sorted(scored, key=lambda each: -scored[each]), *found[N_RATED:]]


def _whole(heard: Activity, text: str) -> Candidate:
    return Candidate(heard.runs[0].start, heard.runs[-1].end, text, 0.0)


def _beginning(heard: Activity) -> Candidate:
    """Return as much as is used of a recording without a better span."""
    start = heard.runs[0].start
    longest = int(spans.LONGEST_S * heard.sample_rate_hz)
    return Candidate(start, min(heard.runs[-1].end, start + longest), "", 0.0)


def _length_s(heard: Activity) -> float:
    return (heard.runs[-1].end - heard.runs[0].start) / heard.sample_rate_hz


def _is_clipped(given: Recording, each: Candidate) -> bool:
    return spans.is_clipped(given.clipped, each.start, each.end, given.clip.sample_rate_hz)


def _mismatch(path: Path, text: str, transcript: str, language: str) -> InputError:
    details = "; ".join(each.detail for each in differences(text, transcript, language)[:N_DETAILS])
    return InputError(
        path,
        f"the text is not what is said: {_shown(details)}. Heard: {_shown(transcript)!r}.",
        remedy="Correct --text, or leave it out to have it written down.",
    )


def _clipped(path: Path) -> InputError:
    remedy = "Record it again with less gain: turning it down afterwards does not help."
    return InputError(path, "clipped: the peaks are cut off throughout.", remedy=remedy)


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"

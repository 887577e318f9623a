"""Whisper on CTranslate2: forced alignment of known text, and greedy transcription.

One thread, int8, no sampling: the same clip always gives the same answer. Alignment never pads to
the full 30 s, which makes it ten times faster; transcription needs the silence after the speech
that the model was trained on, or it loops.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from pipeline.audio.clip import Clip, Samples
from pipeline.errors import ModelError, RequestError
from pipeline.models import mel, windows
from pipeline.models.boundaries import UNSPACED, begins_word

#: One step of the alignment: two feature frames.
STEP_S = 2 / mel.FRAMES_PER_S
STEP_SAMPLES = 2 * mel.HOP_SAMPLES
#: Silence after a short clip. Measured on 50 sentences: with 1 s one in eight loops, with 2 s two
#: of them, with 5 s none, at no more errors than with the full 30 s and four times its speed.
TAIL_S = 5
#: Width of the median filter over the attention, as the model's makers set it.
SMOOTHING_STEPS = 7
#: For exact times: seconds of silence after the clip, without which the attention to whole
#: sentences goes astray, and a narrower filter. Chosen on calibration (`bench/alignment.py`).
PRECISE = (1, 3)
#: The encoder cannot see less than this.
MIN_SAMPLES = mel.SAMPLE_RATE_HZ // 10
#: Nobody speaks faster than this; a longer transcript is a loop.
MAX_CHARS_PER_S = 30
#: The decoder takes 448 tokens, prompt included.
MAX_TOKENS = 448
MAX_ALIGNED_TOKENS = 440
#: Fast speech has about five tokens a second; twice that ends a loop early.
TOKENS_PER_S = 10


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word of the script, with the spaces before it, and where it is spoken."""

    text: str
    start_s: float
    end_s: float
    #: How sure the model is to hear this word: the mean over its tokens.
    probability: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Transcript of a stretch of a long recording."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class _Tokens:
    """A text's tokens, and where each word begins among them."""

    ids: list[int]
    words: list[str]
    #: First token of each word, and one past the last token.
    bounds: list[int]


class Whisper:
    """A Whisper model; the weights are loaded when they are first needed.

    Args:
        model_dir: Folder with model.bin, config.json, tokenizer.json and the vocabulary.
        threads: Threads of one transcription.
    """

    def __init__(self, model_dir: Path, threads: int = 1) -> None:
        self._dir, self._threads = model_dir, threads

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the weights, in hex."""
        try:
            with (self._dir / "model.bin").open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _broken(self._dir, error) from error

    def align(
        self, clip: Clip, text: str, language: str, *, precise: bool = False
    ) -> list[AlignedWord]:
        """Return when each word of the text is spoken, by forced alignment.

        Joining the words gives the text. Words are split at white space; in languages without
        spaces they are a character or two. Raw times: a word before a pause may end late, and the
        first one takes the leading silence.

        Args:
            clip: At most 30 s of it are looked at.
            text: What is spoken in it.
            language: BCP 47 primary tag.
            precise: For exact times: slower, and with other probabilities.
        """
        tokens = self._tokens(text, language)
        if not tokens.words:
            return []
        samples = _speech_samples(clip)
        tail_s, smoothing_steps = PRECISE if precise else (0, SMOOTHING_STEPS)
        size = max(len(samples), MIN_SAMPLES)
        features = self._padded(samples, size + tail_s * mel.SAMPLE_RATE_HZ)
        n_frames = min(-(-size // STEP_SAMPLES) * 2, features.shape[2])
        return self._align(features, tokens, language, n_frames, smoothing_steps)

    def transcribe(self, clip: Clip, language: str) -> str:
        """Return what is heard in a clip of up to 30 s."""
        samples = _speech_samples(clip)
        size = len(samples) + TAIL_S * mel.SAMPLE_RATE_HZ
        text, _ = self._hear(self._padded(samples, size), language, clip.duration_s)
        if len(text) > MAX_CHARS_PER_S * (clip.duration_s + 1):
            # It loops, as it rarely does on the full window that it was trained on.
            text, _ = self._hear(self._padded(samples), language, clip.duration_s)
        return text

    def transcribe_packed(self, clips: Sequence[Clip], language: str) -> list[str]:
        """Return what is heard in each of several short clips, many to a window.

        Three to six times faster than one by one, but neighbours may colour what is heard.
        """
        heard: list[str] = []
        for batch in windows.packed([_speech_samples(clip) for clip in clips]):
            heard += self._hear_batch(batch, language)
        return heard

    def transcribe_blocks(self, blocks: Iterable[Samples], language: str) -> Iterator[Stretch]:
        """Yield what is heard in a long recording, given as 16 kHz blocks of any length [T].

        Memory does not grow with the recording; windows are cut at pauses.
        """
        start = 0
        for samples in windows.cut_at_pauses(blocks):
            end = start + len(samples)
            text, _ = self._hear(self._padded(samples), language, len(samples) / mel.SAMPLE_RATE_HZ)
            yield Stretch(start / mel.SAMPLE_RATE_HZ, end / mel.SAMPLE_RATE_HZ, text)
            start = end

    def transcribe_file(self, path: Path, language: str) -> str:
        """Return what is heard in a recording of any length and format."""
        stretches = self.transcribe_blocks(windows.blocks(path), language)
        return " ".join(stretch.text for stretch in stretches)

    def knows(self, language: str) -> bool:
        """Tell whether the model was trained on the language (BCP 47 primary tag)."""
        return self._tokenizer.token_to_id(f"<|{language}|>") is not None

    def detect_language(self, clip: Clip) -> str:
        """Return the BCP 47 primary tag of the language spoken in the first 30 s."""
        features = self._padded(_speech_samples(clip))
        (guesses,) = self._model.detect_language(features)
        return str(guesses[0][0]).strip("<|>")

    @cached_property
    def _model(self) -> ctranslate2.models.Whisper:
        # oneDNN keeps a compiled kernel for each length of audio it has seen, 1024 of them by
        # default: 200 MB after an hour of chunks, and no faster. It asks only the environment.
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
        try:
            return ctranslate2.models.Whisper(
                str(self._dir), device="cpu", compute_type="int8", intra_threads=self._threads
            )
        except (RuntimeError, ValueError) as error:
            raise _broken(self._dir, error) from error

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        try:
            return Tokenizer.from_file(str(self._dir / "tokenizer.json"))
        except Exception as error:  # the tokenizer's errors have no common class
            raise _broken(self._dir, error) from error

    def _id(self, name: str) -> int:
        token = self._tokenizer.token_to_id(f"<|{name}|>")
        if token is None:
            raise RequestError(f"Whisper does not know the language {name!r}: use --check off.")
        return int(token)

    def _start(self, language: str) -> list[int]:
        return [self._id(name) for name in ("startoftranscript", language, "transcribe")]

    def _padded(
        self, samples: Samples, size: int = windows.WINDOW_S * mel.SAMPLE_RATE_HZ
    ) -> ctranslate2.StorageView:
        """Return the features of the samples and of silence up to `size`, at most 30 s."""
        size = min(windows.WINDOW_S * mel.SAMPLE_RATE_HZ, -(-size // STEP_SAMPLES) * STEP_SAMPLES)
        full = np.zeros(size, np.float32)
        kept = samples[: len(full)]
        full[: len(kept)] = kept
        features = mel.log_mel(full, self._model.n_mels)
        return ctranslate2.StorageView.from_array(features[None])

    def _hear(
        self, features: ctranslate2.StorageView, language: str, duration_s: float
    ) -> tuple[str, ctranslate2.StorageView]:
        """Return the transcript, and the encoded audio for further use."""
        encoded = self._model.encode(features)
        prompt = [*self._start(language), self._id("notimestamps")]
        room = len(prompt) + 16 + int(duration_s * TOKENS_PER_S)
        (result,) = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            sampling_topk=1,
            max_length=min(MAX_TOKENS, room),
        )
        end = self._id("endoftext")
        ids = [token for token in result.sequences_ids[0] if token < end]
        return str(self._tokenizer.decode(ids)).strip(), encoded

    def _hear_batch(self, batch: Sequence[Samples], language: str) -> list[str]:
        gap = int(windows.GAP_S * mel.SAMPLE_RATE_HZ)
        window = np.concatenate(
            [np.append(samples, np.zeros(gap, np.float32)) for samples in batch]
        )
        text, encoded = self._hear(self._padded(window), language, len(window) / mel.SAMPLE_RATE_HZ)
        words = self._align(
            encoded, self._tokens(text, language), language, len(window) // mel.HOP_SAMPLES
        )
        places = windows.places([len(samples) for samples in batch], gap)
        heard = [""] * len(batch)
        for word in words:
            overlaps = [min(word.end_s, end) - max(word.start_s, start) for start, end in places]
            heard[int(np.argmax(overlaps))] += word.text
        return [" ".join(text.split()) for text in heard]

    def _align(
        self,
        features: ctranslate2.StorageView,
        tokens: _Tokens,
        language: str,
        n_frames: int,
        smoothing_steps: int = SMOOTHING_STEPS,
    ) -> list[AlignedWord]:
        if not tokens.words:
            return []
        (found,) = self._model.align(
            features,
            self._start(language),
            [tokens.ids],
            n_frames,
            median_filter_width=smoothing_steps,
        )
        steps = np.asarray(found.alignments)  # [steps, 2]: token, time
        first = np.flatnonzero(np.diff(steps[:, 0], prepend=-1))
        # Token i begins at times[i]; one entry more marks the end of the text.
        times = steps[first, 1] * STEP_S
        spans = pairwise(tokens.bounds)
        return [
            AlignedWord(word, float(times[a]), float(times[b]), _mean(found.text_token_probs[a:b]))
            for word, (a, b) in zip(tokens.words, spans, strict=True)
        ]

    def _tokens(self, text: str, language: str) -> _Tokens:
        """Split a text into tokens and words; what exceeds the decoder is left to the last word."""
        if not text.strip():
            return _Tokens([], [], [0])
        lead = "" if language in UNSPACED else " "
        encoding = self._tokenizer.encode(lead + text.strip(), add_special_tokens=False)
        ids, offsets = encoding.ids[:MAX_ALIGNED_TOKENS], encoding.offsets
        text = lead + text.strip()
        starts: list[tuple[int, int]] = []  # (token, character)
        reached = 0
        for token, (start, end) in enumerate(offsets[: len(ids)]):
            if start >= reached and begins_word(text, start, language):
                starts.append((token, start))
            reached = max(reached, end)
        chars = [char for _, char in starts] + [len(text)]
        words = [text[a:b] for a, b in pairwise(chars)]
        if words and lead:
            words[0] = words[0].removeprefix(lead)
        return _Tokens(list(ids), words, [token for token, _ in starts] + [len(ids)])


def _speech_samples(clip: Clip) -> Samples:
    return clip.resampled(mel.SAMPLE_RATE_HZ).samples


def _mean(probabilities: Sequence[float]) -> float:
    return float(np.mean(probabilities))


def _broken(folder: Path, error: Exception) -> ModelError:
    return ModelError(f"No usable Whisper model in {folder}: {error}. Run: voxmill models verify")

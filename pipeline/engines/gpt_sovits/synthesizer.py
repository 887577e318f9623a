"""Texts in cloned voices → waveforms: many texts side by side, and each as if it were alone.

The GPT stage decodes all fragments of a batch in its slots; the SoVITS stage makes the sound of
each by itself. Upstream concatenates a batch before the second stage, so that its sound depends on
what else is in the batch; here it never does (it equals upstream's with a batch of one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits import script, sound
from pipeline.engines.gpt_sovits.device import Beside
from pipeline.engines.gpt_sovits.features import reference
from pipeline.engines.gpt_sovits.models import Encoders, FineTune
from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.script import Fragment, Reading
from pipeline.engines.gpt_sovits.semantic.decoder import Decoded, Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.model import Prefix
from pipeline.engines.gpt_sovits.semantic.runaway import token_limit
from pipeline.engines.gpt_sovits.sound import Waveform
from pipeline.engines.gpt_sovits.sovits.streaming import Stream
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.voice_prompt import VoicePrompt
from pipeline.errors import EngineError

#: Marks that end a text; a reference text without one gets a full stop.
_ENDS = "，。？！,.?!~:：—…"

#: Between two pieces of a stream so many tokens are decoded: 0.64 s.
STREAM_TOKENS = 16


@dataclass(frozen=True, slots=True, eq=False)
class SpeechRequest:
    """A text to say in a voice."""

    text: str
    #: A language mode of the front end: "zh", "en", "auto" …
    language: str
    prompt: VoicePrompt
    #: Decides everything that is random.
    seed: int
    parameters: Parameters = field(default_factory=Parameters)
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A fragment of a request, on its way."""

    #: Which request, and which of its fragments.
    request: int
    index: int
    fragment: Fragment


class Synthesizer:
    """Speaks with one fine-tune.

    Args:
        fine_tune: The two stages.
        encoders: The networks that listen and read.
        front_end: For the fine-tune's symbols.
        n_slots: How many fragments are decoded side by side.
    """

    def __init__(
        self, fine_tune: FineTune, encoders: Encoders, front_end: FrontEnd, *, n_slots: int = 16
    ) -> None:
        self._fine_tune, self._encoders, self._front_end = fine_tune, encoders, front_end
        self._decoder = Decoder(fine_tune.semantic, n_slots=n_slots)
        self._beside = Beside(fine_tune.sovits.device)

    @property
    def n_bytes(self) -> int:
        """Memory of weights, keys and values."""
        return self._fine_tune.n_bytes + self._decoder.n_bytes

    def make_prompt(
        self,
        clips: Sequence[tuple[Waveform, int]],
        text: str,
        language: str,
    ) -> VoicePrompt:
        """Listen to reference audio.

        Args:
            clips: Waveforms [T] with their sample rates; the first is the one that the text is of,
                the others only add to the timbre.
            text: What is said in the first; empty to take nothing but the timbre.
            language: A language mode of the front end.

        Raises:
            RequestError: A clip is shorter than 3 s or longer than 10 s.
            EngineError: The text cannot be said.
        """
        text = text.strip()
        heard = [reference.prepare(samples, rate_hz) for samples, rate_hz in clips]
        sovits = self._fine_tune.sovits
        features = self._encoders.hubert.features(heard[0].prompt_16k)
        fragment = self._reference_text(text, language)
        tokens = sovits.tokens(features).cpu() if text else torch.zeros(0, dtype=torch.int64)
        return VoicePrompt(
            tokens=tokens,
            phoneme_ids=fragment.phoneme_ids,
            bert=fragment.bert,
            speaker=sovits.speaker_embedding(
                [each.spectrogram for each in heard], self._verification(heard)
            ).cpu(),
            spectrogram=heard[0].spectrogram,
        )

    def speak(
        self, requests: Sequence[SpeechRequest]
    ) -> Iterator[tuple[int, Waveform | EngineError]]:
        """Yield each request's index and its waveform [T], or why there is none, as it is done."""
        pieces, failures = self._prepare(requests)
        yield from failures.items()
        n_pieces = Counter(piece.request for piece in pieces)
        spoken: dict[int, dict[int, Waveform]] = {i: {} for i in n_pieces}
        wanted = [self._semantic_request(piece, requests[piece.request]) for piece in pieces]
        for number, decoded in self._decoder.decode(wanted):
            piece = pieces[number]
            index, request = piece.request, requests[piece.request]
            if index not in spoken:  # another piece of it failed
                continue
            try:
                spoken[index][piece.index] = self._sound(piece, request, decoded)
            except EngineError as error:
                del spoken[index]
                yield index, error
                continue
            if len(spoken[index]) == n_pieces[index]:
                yield index, sound.joined(spoken.pop(index), request.parameters)

    def _prepare(
        self, requests: Sequence[SpeechRequest]
    ) -> tuple[list[_Piece], dict[int, EngineError]]:
        """Return the fragments of all requests, the longest first, and the requests without."""
        pieces: list[_Piece] = []
        failures: dict[int, EngineError] = {}
        for i, request in enumerate(requests):
            try:
                found = self.fragments(request)
                self._require_room(request.prompt, found)
            except EngineError as error:
                failures[i] = error
                continue
            pieces.extend(_Piece(i, index, each) for index, each in enumerate(found))
        # The longest first, so that no slot is left alone with a long one at the end.
        pieces.sort(key=lambda piece: -len(piece.fragment.phoneme_ids))
        return pieces, failures

    def fragments(self, request: SpeechRequest) -> list[Fragment]:
        """Return the fragments that a request is spoken in.

        Raises:
            EngineError: The text cannot be said, or there is no word in it.
        """
        text, bert = request.text, self._encoders.bert
        if request.readings:
            fragment = script.with_readings(
                text, request.language, request.readings, self._front_end, bert
            )
            found = [fragment]
        else:
            method = request.parameters.text_split_method
            found = script.fragments(text, request.language, method, self._front_end, bert)
        if not any(len(each.phoneme_ids) for each in found):
            raise EngineError(f"There is no word in {text!r}.")
        return found

    def _require_room(self, prompt: VoicePrompt, fragments: Sequence[Fragment]) -> None:
        longest = max(len(each.phoneme_ids) for each in fragments)
        self._decoder.require_room(len(prompt.tokens) + len(prompt.phoneme_ids) + longest)

    def _reference_text(self, text: str, language: str) -> Fragment:
        if not text:
            return script.assemble([], self._front_end, self._encoders.bert)
        if text[-1] not in _ENDS:
            text += "." if language == "en" else "。"
        return script.fragment(text, language, self._front_end, self._encoders.bert)

    def _verification(self, heard: Sequence[reference.Reference]) -> list[Tensor] | None:
        if not self._fine_tune.sovits.config.hears_verification:
            return None
        network = self._encoders.verification
        return [network.verification_embedding(each.verification_16k) for each in heard]

    def _semantic_request(self, piece: _Piece, request: SpeechRequest) -> SemanticRequest:
        prompt, fragment = request.prompt, piece.fragment
        device = self._fine_tune.semantic.device
        return SemanticRequest(
            prefix=Prefix(
                phoneme_ids=torch.cat((prompt.phoneme_ids, fragment.phoneme_ids)).to(device),
                bert=torch.cat((prompt.bert, fragment.bert), dim=1).to(device),
                prompt=prompt.tokens.to(device),
            ),
            seed=_seed(request.seed, piece.index),
            sampling=request.parameters.sampling,
            max_new_tokens=token_limit(len(fragment.phoneme_ids)),
        )

    def stream(self, request: SpeechRequest) -> Iterator[Waveform]:
        """Yield the waveform [T] of a request piece by piece, the first as soon as it can be.

        A piece is settled before all of its text is decoded, so that it differs a little from
        what `speak` gives. Other speeds than 1 are given fragment by fragment.

        Raises:
            EngineError: The text cannot be said, or its tokens did not come to an end.
        """
        for index, fragment in enumerate(self.fragments(request)):
            self._require_room(request.prompt, [fragment])
            if index:
                yield sound.silence(request.parameters)
            yield from self._pieces(_Piece(0, index, fragment), request)

    def _pieces(self, piece: _Piece, request: SpeechRequest) -> Iterator[Waveform]:
        parameters, n_known = request.parameters, 0
        live = Stream(
            self._fine_tune.sovits,
            piece.fragment.phoneme_ids,
            request.prompt.speaker,
            generator=_generator(request, piece),
            noise_scale=parameters.noise_scale,
        )
        wanted = self._semantic_request(piece, request)
        for found in self._decoder.stream(wanted, every=STREAM_TOKENS):
            if isinstance(found, Tensor):
                if parameters.speed == 1:
                    yield from sound.given(live.push(found[n_known:]))
                    n_known = len(found)
                continue
            sound.require_end(found, piece.fragment.norm)
            if parameters.speed == 1:
                yield from sound.given(live.push(found.tokens[n_known:]), live.finish())
            else:
                yield self._sound(piece, request, found)

    def _sound(self, piece: _Piece, request: SpeechRequest, decoded: Decoded) -> Waveform:
        """Return the waveform of a fragment's tokens.

        Raises:
            EngineError: The tokens did not come to an end, or what they sound like is no sound.
        """
        sound.require_end(decoded, piece.fragment.norm)
        generator = _generator(request, piece)
        with self._beside.work():  # The decoder has begun its next steps.
            samples = self._fine_tune.sovits.decode(
                decoded.tokens,
                piece.fragment.phoneme_ids,
                request.prompt.speaker,
                speed=request.parameters.speed,
                noise_scale=request.parameters.noise_scale,
                generator=generator,
            ).cpu()
        return sound.checked(samples.float().numpy(), piece.fragment.norm)


def _generator(request: SpeechRequest, piece: _Piece) -> torch.Generator:
    """Return the source of a fragment's noise."""
    return torch.Generator().manual_seed(_seed(request.seed, piece.index))


def _seed(seed: int, index: int) -> int:
    """Return the seed of a request's fragment; of the first one it is the request's."""
    return (seed + index * 0x9E3779B1) % 2**32

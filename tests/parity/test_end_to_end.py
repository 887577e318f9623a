"""Whole requests against upstream's TTS.run: prompt, tokens of every fragment, audio."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import golden
import models as golden_models
import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.device import place
from pipeline.engines.gpt_sovits.models import Encoders, FineTune, ModelFiles, load_fine_tune
from pipeline.engines.gpt_sovits.parameters import Parameters
from pipeline.engines.gpt_sovits.script import Fragment
from pipeline.engines.gpt_sovits.semantic.decoder import Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.model import Prefix
from pipeline.engines.gpt_sovits.synthesizer import SpeechRequest, Synthesizer
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.engines.gpt_sovits.voice_prompt import VoicePrompt

SAMPLE_RATE_HZ = 32_000
#: int16 steps that rounding may be off by: 1e-4 of full scale.
TOLERANCE_STEPS = 4

cases = [
    pytest.param(path, index, id=f"{golden.name(path)}-{index}")
    for path in golden.cases("end_to_end")
    for index in range(len(golden.document(path)["cases"]))
]


class Speaker:
    """The engine with the models of a golden file."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.arrays, self.document = golden.arrays(path), golden.document(path)
        paths = golden_models.build_models(self.document, folder)
        placement = place("cpu", "fp32")
        files = ModelFiles(paths.s1, paths.s2, paths.bert, paths.hubert, paths.verification)
        self.fine_tune: FineTune = load_fine_tune(paths.s1, paths.s2, placement)
        self.engine = Synthesizer(self.fine_tune, Encoders(files, placement), FrontEnd("v2"))

    def prompt(self, request: dict[str, Any]) -> VoicePrompt:
        clip = self.arrays["ref_wav"].astype(np.float32) / 32768
        heard = [(clip, SAMPLE_RATE_HZ)]
        return self.engine.make_prompt(heard, request["prompt_text"], request["prompt_lang"])

    def fragments(self, request: dict[str, Any], prompt: VoicePrompt) -> list[Fragment]:
        parameters = Parameters(text_split_method=request["text_split_method"])
        return self.engine.fragments(
            SpeechRequest(request["text"], request["text_lang"], prompt, 0, parameters)
        )

    def tokens(
        self, request: dict[str, Any], prompt: VoicePrompt, fragments: list[Fragment]
    ) -> list[Tensor]:
        sampling = Parameters(
            top_k=request["top_k"], repetition_penalty=request["repetition_penalty"]
        ).sampling
        wanted = [
            SemanticRequest(
                Prefix(
                    torch.cat((prompt.phoneme_ids, each.phoneme_ids)),
                    torch.cat((prompt.bert, each.bert), dim=1),
                    prompt.tokens,
                ),
                seed=0,
                sampling=sampling,
                stops_loops=False,
            )
            for each in fragments
        ]
        found = dict(Decoder(self.fine_tune.semantic).decode(wanted))
        assert all(each.ending == "end" for each in found.values())
        return [found[index].tokens for index in range(len(wanted))]


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Speaker]:
    return {
        path: Speaker(path, tmp_path_factory.mktemp(path.stem))
        for path in golden.cases("end_to_end")
    }


@pytest.mark.parametrize("path", golden.cases("end_to_end"), ids=golden.name)
def test_a_voice_is_heard_as_upstream_hears_it(path: Path, speakers: dict[Path, Speaker]) -> None:
    speaker = speakers[path]
    prompt = speaker.prompt(speaker.document["cases"][0]["request"])
    arrays = speaker.arrays
    assert prompt.tokens.tolist() == arrays["prompt_semantic"].tolist()
    assert prompt.phoneme_ids.tolist() == arrays["prompt_phones"].tolist()
    for ours, theirs in (
        (prompt.bert, arrays["prompt_bert_head"]),
        (prompt.spectrogram[0], arrays["ref_spec_head"]),
    ):
        head = ours[: theirs.shape[0], : theirs.shape[1]].numpy()
        assert golden.relative_error(head, theirs) < 1e-4


@pytest.mark.parametrize(("path", "index"), cases)
def test_a_request_gives_upstreams_tokens_and_audio(
    path: Path, index: int, speakers: dict[Path, Speaker]
) -> None:
    speaker = speakers[path]
    request = speaker.document["cases"][index]["request"]
    prompt = speaker.prompt(request)
    fragments = speaker.fragments(request, prompt)
    tokens = speaker.tokens(request, prompt, fragments)
    groups = list(upstreams_groups(speaker, index, tokens))
    assert sorted(i for group in groups for i in group) == list(range(len(fragments)))
    audio = {}
    for number, group in enumerate(groups):
        joined = decoded_together(speaker, request, prompt, fragments, tokens, group, number, index)
        audio |= dict(zip(group, joined, strict=True))
    ours = finished([audio[i] for i in range(len(fragments))], request)
    theirs = speaker.arrays[f"c{index}_audio"]
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= TOLERANCE_STEPS


def upstreams_groups(speaker: Speaker, index: int, tokens: list[Tensor]) -> Iterator[list[int]]:
    """Yield which fragments, in which order, upstream decoded in each call of the second stage.

    It joins a batch's tokens, and buckets batches by length; what it joined is told by the tokens.
    """
    remaining = list(range(len(tokens)))
    for number in range(speaker.document["cases"][index]["n_decodes"]):
        theirs = speaker.arrays[f"c{index}_codes{number}"].reshape(-1).tolist()
        group = next(_orders(theirs, tokens, remaining), None)
        assert group is not None, f"no fragments have the tokens of decode {number}"
        remaining = [i for i in remaining if i not in group]
        yield group


def _orders(theirs: list[int], tokens: list[Tensor], of: list[int]) -> Iterator[list[int]]:
    for n in range(1, len(of) + 1):
        for order in permutations(of, n):
            if [token for i in order for token in tokens[i].tolist()] == theirs:
                yield list(order)


def decoded_together(
    speaker: Speaker,
    request: dict[str, Any],
    prompt: VoicePrompt,
    fragments: list[Fragment],
    tokens: list[Tensor],
    group: list[int],
    number: int,
    index: int,
) -> list[np.ndarray]:
    """Decode a group in one call with upstream's noise, and cut the result."""
    noise = torch.from_numpy(speaker.arrays[f"c{index}_noise{number}"]).float()[0]
    speed = request.get("speed_factor", 1.0)
    whole = speaker.fine_tune.sovits.decode(
        torch.cat([tokens[i] for i in group]),
        torch.cat([fragments[i].phoneme_ids for i in group]),
        prompt.speaker,
        speed=speed,
        noise=noise,
    ).numpy()
    ends = np.cumsum([len(tokens[i]) * 1280 for i in group])[:-1]
    return np.split(whole, ends) if len(group) > 1 else [whole]


def finished(parts: list[np.ndarray], request: dict[str, Any]) -> np.ndarray:
    """Return int16 as upstream does: peaks below 1, a silence after each fragment."""
    silence = np.zeros(int(SAMPLE_RATE_HZ * request.get("fragment_interval", 0.3)), np.float32)
    joined = []
    for part in parts:
        peak = np.abs(part).max()
        joined += [part / peak if peak > 1 else part, silence]
    return (np.concatenate(joined) * 32768).astype(np.int16)

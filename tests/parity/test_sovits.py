"""The second stage against upstream: waveforms, what leads to them, streaming and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import golden
import numpy as np
import pytest
import torch
import weights
from torch import Tensor

from pipeline.engines.gpt_sovits.sovits.chunk import Chunk
from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.engines.gpt_sovits.sovits.streaming import decode_streaming

TOLERANCE = 1e-4
#: A token may differ from upstream's where the runner-up is as near as rounding is coarse.
TIE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A model with its inputs and what upstream made of them."""

    version: str
    model: SoVITS
    arrays: dict[str, np.ndarray]

    def tensor(self, key: str) -> Tensor:
        """Return an array as a tensor; halves as float32, which holds them exactly."""
        value = torch.from_numpy(self.arrays[key])
        return value.float() if value.is_floating_point() else value

    def speaker(self, n_references: int = 1) -> Tensor:
        """Return the speaker embedding of the first references."""
        spectrograms = [self.tensor(f"refer_{i}") for i in range(n_references)]
        if "sv_0" not in self.arrays:
            return self.model.speaker_embedding(spectrograms)
        verification = [self.tensor(f"sv_{i}") for i in range(n_references)]
        return self.model.speaker_embedding(spectrograms, verification)

    def decode(self, speaker: Tensor, speed: float = 1.0, noise: Tensor | None = None) -> Tensor:
        """Return the waveform of the case's tokens and phonemes."""
        return self.model.decode(
            self.tensor("codes")[0, 0],
            self.tensor("text")[0],
            speaker,
            speed=speed,
            noise=noise,
            noise_scale=0.0 if noise is None else 0.5,
        )


@cache
def load(path: Path) -> Case:
    """Return a case; its model is built once for all tests."""
    document = golden.document(path)
    drawn = weights.checkpoint(document["shapes"], document["seed"], half=document["half"])
    tensors = {key: torch.from_numpy(value) for key, value in drawn.items()}
    model = SoVITS.from_weights(document["config"], tensors)
    return Case(document["version"], model, golden.arrays(path))


@pytest.fixture(params=golden.cases("sovits"), ids=golden.name)
def case(request: pytest.FixtureRequest) -> Case:
    return load(request.param)


def assert_equal(ours: Tensor, theirs: np.ndarray) -> None:
    assert tuple(ours.shape) == theirs.shape
    assert golden.relative_error(ours.numpy(), theirs) <= TOLERANCE


def test_the_version_is_told_by_the_content(case: Case) -> None:
    assert case.model.config.version == case.version


def test_the_waveform_at_each_speed_is_upstreams(case: Case) -> None:
    keys = [key for key in case.arrays if key.startswith("wav_speed")]
    assert keys
    for key in keys:
        ours = case.decode(case.speaker(), speed=float(key.removeprefix("wav_speed")))
        assert_equal(ours[None, None], case.arrays[key])


def test_the_waveform_with_noise_is_upstreams(case: Case) -> None:
    ours = case.decode(case.speaker(), noise=case.tensor("noise")[0])
    assert_equal(ours[None, None], case.arrays["wav_noise0.5"])


def test_several_references_make_upstreams_speaker(case: Case) -> None:
    n_references = sum(key.startswith("refer_") for key in case.arrays)
    key = "wav_multi" if "wav_multi" in case.arrays else "wav_speed1.0"
    assert_equal(case.decode(case.speaker(n_references))[None, None], case.arrays[key])


def test_the_reference_encoder_hears_what_upstreams_does(case: Case) -> None:
    if "ge_0" not in case.arrays:
        assert case.model.config.width == 192  # real size: only waveforms are recorded
        return
    ours = case.model.reference_encoder(case.tensor("refer_0"))
    if "sv_0" in case.arrays:  # upstream adds it in place, into what was recorded
        ours = ours + case.model.verification.input(case.tensor("sv_0"))
    assert_equal(ours[..., None].detach(), case.arrays["ge_0"])


def test_every_stage_on_the_way_is_upstreams(case: Case) -> None:
    expected = {key: value for key, value in case.arrays.items() if key.startswith("stage_")}
    seen = stages(case)
    assert set(expected) <= set(seen)
    for key, value in expected.items():
        assert_equal(seen[key], value)


@torch.inference_mode()
def stages(case: Case) -> dict[str, Tensor]:
    """Return what is computed on the way to the waveform, channels before frames."""
    encoder = case.model.text_encoder
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> None:
        module = {"encoder_ssl": encoder.token_layers, "mrte": encoder.mrte}[name]

        def hook(module: object, given: object, output: Tensor) -> None:
            seen[f"stage_{name}"] = output.transpose(1, 2)

        handles.append(module.register_forward_hook(hook))

    handles: list[torch.utils.hooks.RemovableHandle] = []
    keep("encoder_ssl")
    keep("mrte")
    chunk = Chunk(case.tensor("codes")[0, 0], case.tensor("text")[0], case.speaker())
    (frames,) = case.model.frames([chunk])
    for handle in handles:
        handle.remove()
    seen["stage_m_p"], seen["stage_logs_p"] = encoder.distribution(frames[None])
    (latent,) = case.model.latents([chunk], [frames], noise_scale=0)
    seen["stage_flow_z"] = latent[None]
    return seen


def test_streaming_as_upstream_does_gives_upstreams_pieces(case: Case) -> None:
    tokens, phoneme_ids = case.tensor("codes")[0, 0], case.tensor("text")[0]
    speaker, hop = case.speaker(), case.model.config.hop_samples
    n_first = case.arrays["stream_wav1"].shape[-1] // hop // 2
    n_last = case.arrays["stream_wav2"].shape[-1] // hop // 2
    n_overlap = case.arrays["stream_overlap"].shape[-1]
    first, frames = decode_streaming(
        case.model, tokens[:n_first], phoneme_ids, speaker, noise_scale=0
    )
    overlap = frames[-n_overlap:]
    second, _ = decode_streaming(
        case.model,
        tokens,
        phoneme_ids,
        speaker,
        n_last=n_last,
        overlap=overlap,
        noise_scale=0,
    )
    assert_equal(first[None, None], case.arrays["stream_wav1"])
    assert_equal(overlap.T[None], case.arrays["stream_overlap"])
    assert_equal(second[None, None], case.arrays["stream_wav2"])


def test_features_become_upstreams_tokens(case: Case) -> None:
    ours = case.model.tokens(case.tensor("ssl")).numpy()
    theirs = case.arrays["latent_codes"].reshape(-1)
    assert ours.shape == theirs.shape
    assert (case.arrays["latent_margin"][ours != theirs] < TIE).all()

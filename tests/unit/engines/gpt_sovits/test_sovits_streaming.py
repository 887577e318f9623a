"""Waveforms that are given piece by piece join to the whole."""

from __future__ import annotations

import pytest
import tiny_sovits
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.engines.gpt_sovits.sovits.streaming import Stream, crossfade, decode_streaming

N_TOKENS = 70


@pytest.fixture(scope="module")
def model() -> SoVITS:
    return SoVITS.from_weights(tiny_sovits.config(), tiny_sovits.weights())


@pytest.fixture(scope="module")
def given() -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, phoneme ids and speaker."""
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randint(0, 1024, (N_TOKENS,), generator=generator),
        torch.randint(0, 732, (30,), generator=generator),
        torch.randn(1, tiny_sovits.SPEAKER, 1, generator=generator),
    )


def relative_error(ours: Tensor, expected: Tensor) -> float:
    assert ours.shape == expected.shape
    return float((ours - expected).abs().max() / expected.abs().max())


def streamed(model: SoVITS, given: tuple[Tensor, Tensor, Tensor], sizes: list[int]) -> list[Tensor]:
    tokens, phoneme_ids, speaker = given
    stream = Stream(model, phoneme_ids, speaker, generator=torch.Generator().manual_seed(7))
    return [stream.push(part) for part in tokens.split(sizes)] + [stream.finish()]


def whole(model: SoVITS, given: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    return model.decode(*given, generator=torch.Generator().manual_seed(7))


def test_all_tokens_at_once_give_exactly_the_whole_in_two_pieces(
    model: SoVITS, given: tuple[Tensor, Tensor, Tensor]
) -> None:
    pieces = streamed(model, given, [N_TOKENS])
    assert all(len(piece) for piece in pieces)
    assert relative_error(torch.cat(pieces), whole(model, given)) < 1e-5


@pytest.mark.parametrize("sizes", [[35, 35], [10] * 7, [1, 60, 9]])
def test_arriving_tokens_give_as_many_samples_close_to_the_whole(
    model: SoVITS, given: tuple[Tensor, Tensor, Tensor], sizes: list[int]
) -> None:
    pieces = streamed(model, given, sizes)
    ours, expected = torch.cat(pieces), whole(model, given)
    assert ours.shape == expected.shape
    assert (ours - expected).square().mean() < 0.1 * expected.square().mean()


def test_pieces_meet_without_a_seam_when_the_encoder_sees_no_difference(
    model: SoVITS, given: tuple[Tensor, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an encoder that looks at one token only, what is left must be exact."""
    entries = model.quantizer(given[0][None])[..., : tiny_sovits.WIDTH]
    monkeypatch.setattr(model, "frames", lambda chunks: [entries[0, : 2 * len(chunks[0].tokens)]])
    pieces = streamed(model, given, [9, 30, 1, 20, 10])
    assert sum(len(piece) > 0 for piece in pieces) >= 3
    assert relative_error(torch.cat(pieces), whole(model, given)) < 1e-5


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (3, 40), (50, 51), (90, 100), (0, 100)])
def test_a_piece_of_the_vocoders_waveform_is_cut_from_the_whole(
    model: SoVITS, start: int, stop: int
) -> None:
    generator = torch.Generator().manual_seed(2)
    latent = torch.randn(1, tiny_sovits.LATENT, 100, generator=generator)
    speaker = torch.randn(1, tiny_sovits.SPEAKER, generator=generator)
    piece = model.vocoder.piece(latent, speaker, start, stop)
    expected = model.vocoder(latent, speaker)[:, start * 640 : stop * 640]
    assert relative_error(piece, expected) < 1e-5


def test_the_vocoder_reaches_no_further_than_it_says(model: SoVITS) -> None:
    generator = torch.Generator().manual_seed(2)
    latent = torch.randn(1, tiny_sovits.LATENT, 60, generator=generator)
    speaker = torch.zeros(1, tiny_sovits.SPEAKER)
    changed = latent.clone()
    changed[..., 30] += 1
    is_equal = (model.vocoder(latent, speaker) == model.vocoder(changed, speaker))[0]
    heard = (~is_equal).nonzero().flatten() // 640
    reach = model.vocoder.reach_frames
    assert 30 - reach <= heard.min() <= 30 - reach + 3
    assert 30 + reach - 3 <= heard.max() <= 30 + reach


def test_upstreams_streaming_without_an_overlap_is_the_whole(
    model: SoVITS, given: tuple[Tensor, Tensor, Tensor]
) -> None:
    wave, frames = decode_streaming(model, *given, noise_scale=0)
    assert frames.shape == (2 * N_TOKENS, tiny_sovits.WIDTH)
    assert relative_error(wave, model.decode(*given, noise_scale=0)) < 1e-6


def test_upstreams_streaming_gives_the_last_tokens_at_any_speed(
    model: SoVITS, given: tuple[Tensor, Tensor, Tensor]
) -> None:
    wave, frames = decode_streaming(
        model, *given, n_last=10, overlap=torch.zeros(4, 8), speed=1.25, noise_scale=0
    )
    assert frames.shape == (20, tiny_sovits.WIDTH)
    assert not frames[0].any()  # the first of the new frames is all old
    assert len(wave) == (int(20 / 1.25) + 1) * 640


def test_a_crossfade_keeps_the_power_and_leaves_the_rest_alone() -> None:
    old, new = torch.ones(4, 2), torch.zeros(9, 2)
    faded = crossfade(old, new)
    rising = crossfade(new[:4], torch.ones(9, 2))
    assert torch.equal(faded[4:], new[4:])
    assert torch.allclose(faded[:4] ** 2 + rising[:4] ** 2, torch.ones(4, 2))

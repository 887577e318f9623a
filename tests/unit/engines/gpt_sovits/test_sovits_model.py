"""A chunk's waveform depends on nothing but the chunk."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_sovits
import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.sovits.chunk import Chunk
from pipeline.engines.gpt_sovits.sovits.model import SoVITS


@pytest.fixture(scope="module")
def model() -> SoVITS:
    return SoVITS.from_weights(tiny_sovits.config(), tiny_sovits.weights())


def chunk(
    model: SoVITS, n_tokens: int, n_phonemes: int, *, speed: float = 1.0, seed: int = 1
) -> Chunk:
    generator = torch.Generator().manual_seed(seed)
    bare = Chunk(
        torch.randint(0, 1024, (n_tokens,), generator=generator),
        torch.randint(0, 732, (n_phonemes,), generator=generator),
        torch.randn(1, tiny_sovits.SPEAKER, 1, generator=generator),
        speed,
    )
    return replace(bare, noise=model.draw(bare.n_frames, generator))


def alone(model: SoVITS, given: Chunk) -> Tensor:
    return model.decode(
        given.tokens, given.phoneme_ids, given.speaker, speed=given.speed, noise=given.noise
    )


def relative_error(ours: Tensor, expected: Tensor) -> float:
    assert ours.shape == expected.shape
    return float((ours - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize(
    "sizes",
    [
        [(1, 1), (30, 20)],
        [(5, 40), (40, 5), (17, 17)],
        [(25, 9), (25, 9)],
        [(3, 2), (2, 3), (60, 30), (1, 50)],
    ],
)
def test_a_chunk_in_a_batch_sounds_as_it_does_alone(
    model: SoVITS, sizes: list[tuple[int, int]]
) -> None:
    chunks = [chunk(model, *size, seed=seed) for seed, size in enumerate(sizes)]
    for together, given in zip(model.decode_batch(chunks), chunks, strict=True):
        assert relative_error(together, alone(model, given)) < 1e-5


def test_chunks_of_different_speeds_share_a_batch(model: SoVITS) -> None:
    chunks = [
        chunk(model, 12, 8, speed=speed, seed=seed)
        for seed, speed in enumerate((0.6, 1.0, 1.25, 2.0))
    ]
    for together, given in zip(model.decode_batch(chunks), chunks, strict=True):
        assert len(together) == given.n_frames * 640
        assert relative_error(together, alone(model, given)) < 1e-5


def test_batch_mates_do_not_exist_for_the_last_samples_of_a_chunk(model: SoVITS) -> None:
    short, long = chunk(model, 4, 6), chunk(model, 44, 30, seed=2)
    together, _ = model.decode_batch([short, long])
    ends = slice(-640, None)
    assert relative_error(together[ends], alone(model, short)[ends]) < 1e-5


def test_a_token_is_two_frames_of_a_fiftieth_of_a_second(model: SoVITS) -> None:
    assert alone(model, chunk(model, 25, 10)).shape == (32000,)


def test_the_same_seed_gives_the_same_samples_and_another_seed_gives_others(
    model: SoVITS,
) -> None:
    given = chunk(model, 10, 7)

    def spoken(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return model.decode(given.tokens, given.phoneme_ids, given.speaker, generator=generator)

    first = spoken(3)
    torch.manual_seed(99)  # the global generator is of no account
    assert torch.equal(first, spoken(3))
    assert not torch.equal(first, spoken(4))


def test_noise_drawn_bit_by_bit_is_that_drawn_at_once(model: SoVITS) -> None:
    bit_by_bit, at_once = (torch.Generator().manual_seed(5) for _ in range(2))
    pieces = [model.draw(n, bit_by_bit) for n in (3, 1, 8)]
    assert torch.equal(torch.cat(pieces, dim=1), model.draw(12, at_once))


def test_without_noise_the_waveform_needs_no_generator(model: SoVITS) -> None:
    given = chunk(model, 6, 4)
    wave = model.decode(given.tokens, given.phoneme_ids, given.speaker, noise_scale=0)
    assert relative_error(wave, model.decode_batch([given], noise_scale=0)[0]) < 1e-6


def test_the_speaker_is_the_mean_of_the_references(model: SoVITS) -> None:
    generator = torch.Generator().manual_seed(1)
    references = [torch.rand(1, 1025, n, generator=generator) for n in (9, 30)]
    both = model.speaker_embedding(references)
    each = [model.speaker_embedding([reference]) for reference in references]
    assert both.shape == (1, tiny_sovits.SPEAKER, 1)
    assert torch.allclose(both, (each[0] + each[1]) / 2, atol=1e-6)


def test_versions_after_v1_do_not_hear_the_highest_bins(model: SoVITS) -> None:
    reference = torch.rand(1, 1025, 9, generator=torch.Generator().manual_seed(1))
    muffled = reference.clone()
    muffled[:, 704:] = 0
    v1 = SoVITS.from_weights(tiny_sovits.config(), tiny_sovits.weights(n_phonemes=322))
    assert torch.equal(model.speaker_embedding([reference]), model.speaker_embedding([muffled]))
    assert not torch.equal(v1.speaker_embedding([reference]), v1.speaker_embedding([muffled]))


def test_two_features_become_the_token_of_the_nearest_entry(model: SoVITS) -> None:
    features = torch.randn(1, 768, 21, generator=torch.Generator().manual_seed(1))
    points = model.quantizer.projection(features)[0].T
    nearest = torch.cdist(points, model.quantizer.codebook).argmin(1)
    assert model.tokens(features).tolist() == nearest.tolist()
    assert len(nearest) == 10  # a feature without a partner is left over


def test_an_entry_of_the_codebook_is_heard_for_two_frames(model: SoVITS) -> None:
    entries = model.quantizer(torch.tensor([[7, 1000]]))[0]
    assert torch.equal(entries, model.quantizer.codebook[[7, 7, 1000, 1000]])


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_sounds_nearly_the_same(model: SoVITS, precision: str) -> None:
    config, weights = tiny_sovits.config(), tiny_sovits.weights()
    rough = SoVITS.from_weights(config, weights, precision=precision)  # type: ignore[arg-type]
    given = chunk(model, 10, 7)
    wave, expected = alone(rough, given), alone(model, given)
    error_db = 10 * torch.log10((wave - expected).square().mean() / expected.square().mean())
    assert wave.dtype == torch.float32
    assert -90 < error_db < -25

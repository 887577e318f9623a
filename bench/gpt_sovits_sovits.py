"""The second stage of the cloning engine: how fast tokens become sound, and what bf16 costs.

    python -m bench.gpt_sovits_sovits [--threads 2]

Weights are random at real size: time does not depend on their values. The yardstick is the same
vocoder written straight down with 1-D convolutions; both run in turn in one process, and the best
of several rounds counts, so that other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bench import table
from pipeline.engines.gpt_sovits.sovits.chunk import Chunk
from pipeline.engines.gpt_sovits.sovits.config import SoVITSConfig, Version, VocoderConfig
from pipeline.engines.gpt_sovits.sovits.model import Precision, SoVITS, in_precision
from pipeline.engines.gpt_sovits.sovits.vocoder import LAST_SLOPE, SLOPE, ResidualBlock, Vocoder

TOKENS_PER_S = 25
#: Phonemes of a second of ordinary speech.
PHONEMES_PER_S = 12
SEED = 1


def config(version: Version) -> SoVITSConfig:
    """Return the hyper-parameters that were released."""
    is_pro, is_plus = version.startswith("v2Pro"), version == "v2ProPlus"
    return SoVITSConfig(
        version=version,
        n_phonemes=322 if version == "v1" else 732,
        latent_channels=192,
        width=192,
        feed_forward_width=768,
        n_heads=2,
        n_layers=6,
        kernel_size=3,
        speaker_channels=1024 if is_pro else 512,
        n_bins=1025,
        n_bins_heard=1025 if version == "v1" else 704,
        sample_rate_hz=32000,
        hop_samples=640,
        window_samples=2048,
        fft_samples=2048,
        vocoder=VocoderConfig(
            initial_channels=768 if is_plus else 512,
            upsample_rates=(10, 8, 2, 2, 2),
            upsample_kernels=(20 if is_plus else 16, 16, 8, 2, 2),
            block_kernels=(3, 7, 11),
            block_dilations=((1, 3, 5),) * 3,
        ),
    )


def build(version: Version, precision: Precision) -> SoVITS:
    """Return a model with random weights that keep the power of what passes through."""
    model = SoVITS(config(version)).eval().requires_grad_(requires_grad=False)
    generator = torch.Generator().manual_seed(SEED)
    for name, tensor in model.state_dict().items():
        fan_in = tensor[0].numel() if tensor.dim() > 1 else 100
        if "upsample.weight" in name:  # [C_in, C_out, 1, kernel], overlapping about twice
            fan_in = 2 * tensor.shape[0]
        tensor.normal_(0, fan_in**-0.5, generator=generator)
        if "norm.weight" in name:
            tensor.add_(1)
    return in_precision(model, precision)


def chunk(model: SoVITS, seconds: float) -> Chunk:
    """Return a chunk of a length."""
    generator = torch.Generator().manual_seed(SEED)
    n_tokens = round(seconds * TOKENS_PER_S)
    return Chunk(
        torch.randint(0, 1024, (n_tokens,), generator=generator),
        torch.randint(0, 322, (round(seconds * PHONEMES_PER_S),), generator=generator),
        torch.randn(1, model.config.speaker_channels, 1, generator=generator),
        noise=model.draw(2 * n_tokens, generator),
    )


def straight_vocoder(vocoder: Vocoder, latent: Tensor, speaker: Tensor) -> Tensor:
    """Return what the vocoder gives, computed as the paper writes it: the yardstick."""
    x = functional.conv1d(latent, vocoder.input.weight[:, :, 0], vocoder.input.bias, padding=3)
    x = x + vocoder.speaker(speaker)[..., None]
    for stage in vocoder.stages:
        up = stage.upsample
        x = functional.conv_transpose1d(
            functional.leaky_relu(x, SLOPE),
            up.weight[:, :, 0],
            up.bias,
            up.stride[1],
            up.padding[1],
        )
        x = sum(straight_block(block, x) for block in stage.blocks) / len(stage.blocks)
    x = functional.leaky_relu(x, LAST_SLOPE)
    return functional.conv1d(x, vocoder.output.weight[:, :, 0], padding=3).tanh()[:, 0]


def straight_block(block: ResidualBlock, x: Tensor) -> Tensor:
    """Return what a residual block gives."""
    for pair in zip(block.dilated, block.plain, strict=True):
        y = x
        for conv in pair:
            y = functional.conv1d(
                functional.leaky_relu(y, SLOPE),
                conv.weight[:, :, 0],
                conv.bias,
                padding=conv.padding[1],
                dilation=conv.dilation[1],
            )
        x = x + y
    return x


@torch.inference_mode()
def measure(
    version: Version, seconds: float, precision: Precision, rounds: int = 5
) -> dict[str, Any]:
    """Return speed and loss of one version at one length, on the threads torch has.

    A book's chunks are rarely of a length seen before, so that is timed as well.
    """
    exact, model = build(version, "fp32"), build(version, precision)
    given = chunk(model, seconds)
    (latent,) = exact.latents([given], exact.frames([given]), noise_scale=0.5)
    latent, speaker = latent[None], given.speaker.squeeze(-1)
    ways: dict[str, Callable[[], Tensor]] = {
        "straight": lambda: straight_vocoder(exact.vocoder, latent, speaker),
        "vocoder": lambda: model.vocoder(latent, speaker),
        "decode": lambda: model.decode_batch([given])[0],
    }
    seconds_of = best_of(ways, rounds)
    new = [chunk(model, seconds + i / TOKENS_PER_S) for i in range(1, rounds + 1)]
    return {
        "version": version,
        "precision": precision,
        "audio_s": seconds,
        "threads": torch.get_num_threads(),
        "rtf": seconds_of["decode"] / seconds,
        "rtf_new_length": min(elapsed_s(model, each) for each in new) / seconds,
        "rtf_vocoder": seconds_of["vocoder"] / seconds,
        "rtf_straight_vocoder": seconds_of["straight"] / seconds,
        "x_straight": seconds_of["straight"] / seconds_of["vocoder"],
        "snr_db": snr_db(ways["vocoder"](), ways["straight"]()),
    }


def elapsed_s(model: SoVITS, given: Chunk) -> float:
    """Return how long one chunk takes."""
    started = time.perf_counter()
    model.decode_batch([given])
    return time.perf_counter() - started


def best_of(ways: dict[str, Callable[[], Tensor]], rounds: int) -> dict[str, float]:
    """Return the least time of each way, all run in turn in every round."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds + 1):  # The first prepares kernels, and does not win.
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def snr_db(wave: Tensor, expected: Tensor) -> float:
    """Return how far the difference lies below the expected waveform."""
    ratio = expected.square().mean() / (wave - expected).square().mean()
    return float(10 * ratio.log10())


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    cases: list[tuple[Version, float, Precision]] = [
        ("v2", 3.0, "fp32"),
        ("v2", 3.0, "bf16"),
        ("v2", 10.0, "fp32"),
        ("v2", 10.0, "bf16"),
        ("v2ProPlus", 3.0, "bf16"),
    ]
    rows = [measure(*case) for case in cases]
    table.show("SoVITS stage, real-time factor (less is faster)", rows)
    table.save("gpt_sovits_sovits", {"rows": rows})


if __name__ == "__main__":
    main()

"""A SoVITS checkpoint of the smallest size, by upstream's names, with random weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]

WIDTH, INNER, LATENT, SPEAKER = 8, 12, 16, 512
RATES, KERNELS = (10, 8, 2, 2, 2), (16, 16, 8, 2, 2)
BLOCK_KERNELS, DILATIONS = (3, 7, 11), (1, 3, 5)


def config(**changed: Any) -> dict[str, Any]:
    """Return the checkpoint's config, parts of `model` changed."""
    model = {
        "inter_channels": LATENT,
        "hidden_channels": WIDTH,
        "filter_channels": INNER,
        "n_heads": 2,
        "n_layers": 2,
        "kernel_size": 3,
        "resblock": "1",
        "resblock_kernel_sizes": list(BLOCK_KERNELS),
        "resblock_dilation_sizes": [list(DILATIONS)] * len(BLOCK_KERNELS),
        "upsample_rates": list(RATES),
        "upsample_initial_channel": 2 * 2 ** len(RATES),
        "upsample_kernel_sizes": list(KERNELS),
        "gin_channels": SPEAKER,
    }
    data = {"sampling_rate": 32000, "filter_length": 2048, "hop_length": 640, "win_length": 2048}
    return {"model": model | changed, "data": data, "train": {"segment_size": 20480}}


def weights(seed: int = 0, n_phonemes: int = 732) -> dict[str, Tensor]:
    """Return the checkpoint's tensors, of v1 for 322 phonemes and of v2 for 732."""
    generator = torch.Generator().manual_seed(seed)
    return {key: _drawn(key, shape, generator) for key, shape in shapes(n_phonemes).items()}


def _drawn(key: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    scale = 0.1 if len(shape) == 1 else 1 / math.sqrt(math.prod(shape[1:]))
    drawn = torch.randn(shape, generator=generator) * scale
    return 1 + 0.1 * drawn if key.endswith(("gamma", "weight_g")) else drawn


def shapes(n_phonemes: int) -> Shapes:
    """Return what upstream stores, tensor by tensor."""
    return {
        **_linear("ssl_proj", 768, 768, 2),
        **{
            f"quantizer.vq.layers.0._codebook.{name}": shape
            for name, shape in (
                ("embed", (1024, 768)),
                ("embed_avg", (1024, 768)),
                ("cluster_size", (1024,)),
                ("inited", (1,)),
            )
        },
        "enc_p.text_embedding.weight": (n_phonemes, WIDTH),
        **_linear("enc_p.ssl_proj", WIDTH, 768, 1),
        **_linear("enc_p.proj", 2 * LATENT, WIDTH, 1),
        **_transformer("enc_p.encoder_ssl", 1),
        **_transformer("enc_p.encoder_text", 2),
        **_transformer("enc_p.encoder2", 1),
        **_mrte(),
        **_reference_encoder(1025 if n_phonemes == 322 else 704),
        **_flow(),
        **_vocoder(),
        "enc_q.pre.weight": (WIDTH, 1025, 1),
    }


def _linear(name: str, n_out: int, n_in: int, *kernel: int) -> Shapes:
    return {f"{name}.weight": (n_out, n_in, *kernel), f"{name}.bias": (n_out,)}


def _normed(name: str, n_out: int, n_in: int, kernel: int, *, n_bias: int | None = None) -> Shapes:
    return {
        f"{name}.weight_v": (n_out, n_in, kernel),
        f"{name}.weight_g": (n_out, 1, 1),
        f"{name}.bias": (n_bias or n_out,),
    }


def _transformer(name: str, n_layers: int) -> Shapes:
    found: Shapes = {}
    for i in range(n_layers):
        for part in "qkvo":
            found |= _linear(f"{name}.attn_layers.{i}.conv_{part}", WIDTH, WIDTH, 1)
        for part in "kv":
            found[f"{name}.attn_layers.{i}.emb_rel_{part}"] = (1, 9, WIDTH // 2)
        for norm in (1, 2):
            found[f"{name}.norm_layers_{norm}.{i}.gamma"] = (WIDTH,)
            found[f"{name}.norm_layers_{norm}.{i}.beta"] = (WIDTH,)
        found |= _linear(f"{name}.ffn_layers.{i}.conv_1", INNER, WIDTH, 3)
        found |= _linear(f"{name}.ffn_layers.{i}.conv_2", WIDTH, INNER, 3)
    return found


def _mrte() -> Shapes:
    found: Shapes = {}
    for part in "qkvo":
        found |= _linear(f"enc_p.mrte.cross_attention.conv_{part}", 512, 512, 1)
    return (
        found
        | _linear("enc_p.mrte.c_pre", 512, WIDTH, 1)
        | _linear("enc_p.mrte.text_pre", 512, WIDTH, 1)
        | _linear("enc_p.mrte.c_post", WIDTH, 512, 1)
    )


def _reference_encoder(n_bins: int) -> Shapes:
    found = _linear("ref_enc.spectral.0.fc", 128, n_bins)
    found |= _linear("ref_enc.spectral.3.fc", 128, 128)
    for i in range(2):
        found |= _linear(f"ref_enc.temporal.{i}.conv1.conv", 256, 128, 5)
    for part in ("w_qs", "w_ks", "w_vs", "fc"):
        found |= _linear(f"ref_enc.slf_attn.{part}", 128, 128)
    return found | _linear("ref_enc.fc.fc", SPEAKER, 128)


def _flow() -> Shapes:
    found: Shapes = {}
    for name in (f"flow.flows.{2 * i}" for i in range(4)):
        found |= _linear(f"{name}.pre", WIDTH, LATENT // 2, 1)
        found |= _linear(f"{name}.post", LATENT // 2, WIDTH, 1)
        found |= _normed(f"{name}.enc.cond_layer", 2 * WIDTH * 4, SPEAKER, 1)
        for i in range(4):
            n_out = 2 * WIDTH if i < 3 else WIDTH
            found |= _normed(f"{name}.enc.in_layers.{i}", 2 * WIDTH, WIDTH, 5)
            found |= _normed(f"{name}.enc.res_skip_layers.{i}", n_out, WIDTH, 1)
    return found


def _vocoder() -> Shapes:
    channels = 2 * 2 ** len(RATES)
    found = _linear("dec.conv_pre", channels, LATENT, 7) | _linear("dec.cond", channels, SPEAKER, 1)
    for i, kernel in enumerate(KERNELS):
        found |= _normed(f"dec.ups.{i}", channels, channels // 2, kernel, n_bias=channels // 2)
        channels //= 2
        for j, size in enumerate(BLOCK_KERNELS):
            for k in range(len(DILATIONS)):
                for convs in ("convs1", "convs2"):
                    name = f"dec.resblocks.{3 * i + j}.{convs}.{k}"
                    found |= _normed(name, channels, channels, size)
    return found | {"dec.conv_post.weight": (1, channels, 7)}

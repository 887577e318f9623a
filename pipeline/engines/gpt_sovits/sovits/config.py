"""What a SoVITS checkpoint is: its version and its hyper-parameters, told by its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from torch import Tensor

from pipeline.errors import ModelError

Version = Literal["v1", "v2", "v2Pro", "v2ProPlus"]

#: Rows of the phoneme embedding, by which versions are told apart whatever a file claims.
PHONEMES_V1, PHONEMES_V2 = 322, 732
#: Width of a HuBERT feature, which is what a codebook entry stands for.
FEATURE_WIDTH = 768
N_TOKENS = 1024
#: Semantic tokens come at 25 Hz; everything after them runs at 50 Hz.
FRAMES_PER_TOKEN = 2
#: Width at which phonemes and tokens meet the speaker, the same in every version.
MEETING_WIDTH = 512
#: Width of a speaker-verification embedding.
VERIFICATION_WIDTH = 20480
#: Bins of the reference spectrogram that versions after v1 listen to.
LOW_BINS = 704

_REMEDY = "Give a SoVITS file (.pth) of GPT-SoVITS v1, v2, v2Pro or v2ProPlus."


@dataclass(frozen=True, slots=True)
class VocoderConfig:
    """The shape of a HiFi-GAN generator."""

    initial_channels: int
    upsample_rates: tuple[int, ...]
    upsample_kernels: tuple[int, ...]
    block_kernels: tuple[int, ...]
    block_dilations: tuple[tuple[int, ...], ...]

    @property
    def hop_samples(self) -> int:
        """Samples per frame."""
        return prod(self.upsample_rates)


@dataclass(frozen=True, slots=True)
class SoVITSConfig:
    """Hyper-parameters, with the names of the VITS paper where it has any."""

    version: Version
    n_phonemes: int
    #: Width of the latent that the flow and the vocoder work on.
    latent_channels: int
    #: Width of the transformers.
    width: int
    feed_forward_width: int
    n_heads: int
    n_layers: int
    kernel_size: int
    #: Width of the speaker embedding.
    speaker_channels: int
    #: Bins of a linear spectrogram, and how many of them the reference encoder takes.
    n_bins: int
    n_bins_heard: int
    sample_rate_hz: int
    hop_samples: int
    window_samples: int
    fft_samples: int
    vocoder: VocoderConfig

    @property
    def hears_verification(self) -> bool:
        """Whether a speaker-verification embedding is part of the speaker."""
        return self.version in {"v2Pro", "v2ProPlus"}


def read(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> SoVITSConfig:
    """Return what a checkpoint is.

    Args:
        config: The checkpoint's `config`, with its parts `model` and `data`.
        weights: The checkpoint's tensors by upstream's names.

    Raises:
        ModelError: It is of another kind, or its config lacks something.
    """
    version = _version(config, weights)
    model, data = _part(config, "model"), _part(config, "data")
    fft_samples = _number(data, "filter_length", "data")
    n_bins = fft_samples // 2 + 1
    return SoVITSConfig(
        version=version,
        n_phonemes=PHONEMES_V1 if version == "v1" else PHONEMES_V2,
        latent_channels=_number(model, "inter_channels"),
        width=_number(model, "hidden_channels"),
        feed_forward_width=_number(model, "filter_channels"),
        n_heads=_number(model, "n_heads"),
        n_layers=_number(model, "n_layers"),
        kernel_size=_number(model, "kernel_size"),
        speaker_channels=_number(model, "gin_channels"),
        n_bins=n_bins,
        n_bins_heard=n_bins if version == "v1" else LOW_BINS,
        sample_rate_hz=_number(data, "sampling_rate", "data"),
        hop_samples=_number(data, "hop_length", "data"),
        window_samples=_number(data, "win_length", "data"),
        fft_samples=fft_samples,
        vocoder=_vocoder(model, _number(data, "hop_length", "data")),
    )


def _version(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Version:
    if any(key.startswith("cfm.") for key in weights):
        raise ModelError(
            "The SoVITS checkpoint is of GPT-SoVITS v3 or v4 (it has cfm.* tensors), which "
            f"this engine does not speak. {_REMEDY}"
        )
    if "enc_p.text_embedding.weight" not in weights:
        raise ModelError(
            "The checkpoint has no tensor enc_p.text_embedding.weight, so it is not a SoVITS "
            f"checkpoint. {_REMEDY}"
        )
    rows = weights["enc_p.text_embedding.weight"].shape[0]
    if rows == PHONEMES_V1:
        return "v1"
    if rows != PHONEMES_V2:
        raise ModelError(
            f"enc_p.text_embedding.weight of the SoVITS checkpoint has {rows} rows; v1 has "
            f"{PHONEMES_V1} and the later versions have {PHONEMES_V2}. {_REMEDY}"
        )
    if "sv_emb.weight" not in weights:
        return "v2"
    kernels = _part(config, "model").get("upsample_kernel_sizes") or [0]
    return "v2ProPlus" if kernels[0] == 20 else "v2Pro"


def _vocoder(model: Mapping[str, Any], hop_samples: int) -> VocoderConfig:
    if str(model.get("resblock", "1")) != "1":
        raise ModelError(
            f"The SoVITS checkpoint's config says resblock {model['resblock']!r}; every released "
            f"version has '1', the only one supported. {_REMEDY}"
        )
    vocoder = VocoderConfig(
        initial_channels=_number(model, "upsample_initial_channel"),
        upsample_rates=_numbers(model, "upsample_rates"),
        upsample_kernels=_numbers(model, "upsample_kernel_sizes"),
        block_kernels=_numbers(model, "resblock_kernel_sizes"),
        block_dilations=tuple(
            tuple(int(each) for each in row) for row in _present(model, "resblock_dilation_sizes")
        ),
    )
    _check(vocoder, hop_samples)
    return vocoder


def _check(vocoder: VocoderConfig, hop_samples: int) -> None:
    """Refuse shapes whose length in samples would not be a multiple of the frames."""
    pairs = list(zip(vocoder.upsample_rates, vocoder.upsample_kernels, strict=False))
    is_even = all(kernel >= rate and (kernel - rate) % 2 == 0 for rate, kernel in pairs)
    is_paired = len(vocoder.upsample_rates) == len(vocoder.upsample_kernels)
    is_complete = len(vocoder.block_kernels) == len(vocoder.block_dilations)
    if not (is_even and is_paired and is_complete and vocoder.hop_samples == hop_samples):
        raise ModelError(
            "The SoVITS checkpoint's config describes no vocoder of a released version: "
            f"{vocoder}, hop_length {hop_samples}. {_REMEDY}"
        )


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = config.get(name)
    if not isinstance(part, Mapping):
        raise ModelError(f"The SoVITS checkpoint's config has no part {name!r}. {_REMEDY}")
    return part


def _present(part: Mapping[str, Any], name: str, where: str = "model") -> Any:
    if name not in part:
        raise ModelError(f"The SoVITS checkpoint's config lacks {where}.{name}. {_REMEDY}")
    return part[name]


def _number(part: Mapping[str, Any], name: str, where: str = "model") -> int:
    value = _present(part, name, where)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ModelError(
            f"{where}.{name} in the SoVITS checkpoint's config is {value!r}; a positive whole "
            f"number was expected. {_REMEDY}"
        )
    return value


def _numbers(part: Mapping[str, Any], name: str) -> tuple[int, ...]:
    value = _present(part, name)
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ModelError(
            f"model.{name} in the SoVITS checkpoint's config is {value!r}; a list of whole "
            f"numbers was expected. {_REMEDY}"
        )
    return tuple(int(each) for each in value)

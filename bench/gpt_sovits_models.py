"""GPT-SoVITS at real size with random weights, for measurements: time does not depend on values.

The files have upstream's names and layout, so that all that is measured loads them as a user's.
Random weights never say the end, so how long a fragment becomes is decided here (`Paced`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, HubertConfig, HubertModel

from pipeline.engines.gpt_sovits.device import Placement
from pipeline.engines.gpt_sovits.models import Encoders, ModelFiles, load_fine_tune
from pipeline.engines.gpt_sovits.semantic import weights as semantic_weights
from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig
from pipeline.engines.gpt_sovits.semantic.decoder import Decoded, Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.linear import Precision
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.sovits import config as sovits_config
from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.engines.gpt_sovits.sovits.weights import upstream_name
from pipeline.engines.gpt_sovits.synthesizer import Synthesizer
from pipeline.engines.gpt_sovits.text.front_end import FrontEnd
from pipeline.models.catalogue_gpt_sovits import BERT, HUBERT, S1, S2

SEED = 1

#: The settings of the s1longer-v2 checkpoint.
S1_CONFIG = {
    "model": {
        "vocab_size": 1025,
        "phoneme_vocab_size": 732,
        "embedding_dim": 512,
        "hidden_dim": 512,
        "head": 16,
        "linear_units": 2048,
        "n_layer": 24,
        "EOS": 1024,
    },
    "data": {"max_sec": 54},
}
#: The settings of the s2G2333k checkpoint, as far as they shape the network.
S2_CONFIG: dict[str, Any] = {
    "model": {
        "inter_channels": 192,
        "hidden_channels": 192,
        "filter_channels": 768,
        "n_heads": 2,
        "n_layers": 6,
        "kernel_size": 3,
        "resblock": "1",
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "upsample_rates": [10, 8, 2, 2, 2],
        "upsample_initial_channel": 512,
        "upsample_kernel_sizes": [16, 16, 8, 2, 2],
        "gin_channels": 512,
    },
    "data": {"sampling_rate": 32000, "filter_length": 2048, "hop_length": 640, "win_length": 2048},
}

#: Tokens of a phoneme of Chinese read at an ordinary pace.
TOKENS_PER_PHONEME = 3

_PUNCTUATION = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *",.!?…-，。！？、：；")
_HAN = range(0x4E00, 0x9FA6)


def semantic(precision: Precision, device: torch.device | str = "cpu") -> TextToSemantic:
    """Return the GPT stage; chosen greedily, its tokens never end."""
    config = SemanticConfig.from_checkpoint(S1_CONFIG)
    return semantic_weights.build(config, s1_weights(), precision, torch.device(device))


def synthesizer(files: ModelFiles, placement: Placement, n_slots: int) -> Synthesizer:
    """Return the whole engine, which ends each fragment at an ordinary pace."""
    fine_tune, encoders = load_fine_tune(files.s1, files.s2, placement), Encoders(files, placement)
    found = Synthesizer(fine_tune, encoders, FrontEnd("v2"), n_slots=n_slots)
    found._decoder = Paced(found._decoder)  # type: ignore[assignment]
    return found


class Paced:
    """A decoder that takes a fragment for ended once it has its tokens.

    Args:
        decoder: Does the work.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def decode(self, requests: Sequence[SemanticRequest]) -> Iterator[tuple[int, Decoded]]:
        """Yield what `Decoder.decode` yields, the limit taken for the end."""
        for index, decoded in self._decoder.decode([_paced(each) for each in requests]):
            yield index, replace(decoded, ending="end")


def _paced(request: SemanticRequest) -> SemanticRequest:
    # The limit that a request has is 75 tokens and 8 a phoneme.
    n_phonemes = (request.max_new_tokens - 75) / 8
    return replace(
        request, max_new_tokens=max(25, round(TOKENS_PER_PHONEME * n_phonemes)), stops_loops=False
    )


def prefix(n_prompt: int = 100, n_phonemes: int = 100, *, seed: int = SEED) -> Prefix:
    """Return the beginning of a sequence: reference and text together have `n_phonemes`."""
    generator = torch.Generator().manual_seed(seed)
    return Prefix(
        phoneme_ids=torch.randint(732, (n_phonemes,), generator=generator),
        bert=torch.randn(1024, n_phonemes, generator=generator),
        prompt=torch.randint(1024, (n_prompt,), generator=generator),
    )


def write(folder: Path) -> ModelFiles:
    """Write all models of v2 below the folder, which becomes a `pretrained_models`."""
    files = ModelFiles(folder / S1["v2"], folder / S2["v2"], folder / BERT, folder / HUBERT)
    contents = {"config": S1_CONFIG, "info": "GPT-e1"}
    _save({"weight": _halved(s1_weights()), **contents}, files.s1)
    contents = {"config": S2_CONFIG, "info": "1epoch_1iteration"}
    _save({"weight": _halved(s2_weights()), **contents}, files.s2)
    vocabulary = [*_PUNCTUATION, *map(chr, _HAN)]
    bert = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
    )
    _write_folder(files.bert, bert, BertModel, "bert.")
    lines = "".join(f"{token}\n" for token in vocabulary)
    (files.bert / "vocab.txt").write_text(lines, encoding="utf-8")
    _write_folder(files.hubert, HubertConfig(), HubertModel, "")
    return files


def s1_weights() -> dict[str, Tensor]:
    """Return the tensors of the GPT stage by upstream's names."""
    model: Mapping[str, int] = S1_CONFIG["model"]  # type: ignore[assignment]
    width, n_tokens = model["hidden_dim"], model["vocab_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "bert_proj.weight": (width, 1024),
        "bert_proj.bias": (width,),
        "ar_text_embedding.word_embeddings.weight": (model["phoneme_vocab_size"], width),
        "ar_audio_embedding.word_embeddings.weight": (n_tokens, width),
        "ar_text_position.alpha": (1,),
        "ar_audio_position.alpha": (1,),
        "ar_predict_layer.weight": (n_tokens, width),
    }
    for layer in (f"h.layers.{i}" for i in range(model["n_layer"])):
        for name, *shape in (
            ("self_attn.in_proj_weight", 3 * width, width),
            ("self_attn.in_proj_bias", 3 * width),
            ("self_attn.out_proj.weight", width, width),
            ("self_attn.out_proj.bias", width),
            ("linear1.weight", 4 * width, width),
            ("linear1.bias", 4 * width),
            ("linear2.weight", width, 4 * width),
            ("linear2.bias", width),
            *((f"norm{n}.{part}", width) for n in (1, 2) for part in ("weight", "bias")),
        ):
            shapes[f"{layer}.{name}"] = tuple(shape)
    found = _drawn({f"model.{name}": shape for name, shape in shapes.items()})
    found["model.ar_predict_layer.weight"][model["EOS"]] = 0
    return found


def s2_weights() -> dict[str, Tensor]:
    """Return the tensors of the SoVITS stage by upstream's names."""
    of_v2 = {"enc_p.text_embedding.weight": torch.empty(732, 0)}
    config = sovits_config.read(S2_CONFIG, of_v2)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in SoVITS(config).state_dict().items()}
    n_blocks = len(config.vocoder.block_kernels)
    return {upstream_name(name, n_blocks): tensor for name, tensor in _drawn(shapes).items()}


def _drawn(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Return random weights that keep the power of what passes through them."""
    generator = torch.Generator().manual_seed(SEED)
    return {
        name: torch.randn(tuple(shape), generator=generator) * _scale(name, shape) + _mean(name)
        for name, shape in shapes.items()
    }


def _scale(name: str, shape: Sequence[int]) -> float:
    if len(shape) == 1:
        return 0.1
    if "embed" in name:
        return 0.5
    if "upsample" in name:  # [C_in, C_out, 1, kernel], overlapping about twice
        return (2 * shape[0]) ** -0.5
    return math.prod(shape[1:]) ** -0.5


def _mean(name: str) -> float:
    is_gain = "norm" in name.lower() and name.endswith(("weight", "weight.original0"))
    return 1.0 if is_gain or "alpha" in name else 0.0


def _write_folder(folder: Path, config: Any, kind: type[nn.Module], prefix: str) -> None:
    """Write a model of the transformers library with random weights."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in kind(config).state_dict().items()}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.to_dict()), encoding="utf-8")
    weights = _halved(_drawn({f"{prefix}{name}": shape for name, shape in shapes.items()}))
    torch.save(weights, folder / "pytorch_model.bin")


def _halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.half() for name, tensor in weights.items()}


def _save(contents: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(contents, path)

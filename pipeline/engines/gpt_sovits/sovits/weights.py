"""Upstream's names of tensors → ours: the one place that knows both.

A checkpoint must hold exactly what the model needs, apart from what only training uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from pipeline.errors import ModelError

#: Only training uses them: the posterior encoder, and how the codebook was learned.
DROPPED = re.compile(
    r"enc_q\.|quantizer\.vq\.layers\.0\._codebook\.(inited|cluster_size|embed_avg)$"
)

#: The two halves of a weight under weight normalisation, in PyTorch's older and newer naming.
_GAINS = (".weight_g", ".parametrizations.weight.original0")
_DIRECTIONS = (".weight_v", ".parametrizations.weight.original1")

#: (pattern, ours), applied in this order; every pattern that matches is replaced.
_RENAMED: tuple[tuple[str, str], ...] = (
    # Parts of the whole.
    (r"^ssl_proj\.", "quantizer.projection."),
    (r"^quantizer\.vq\.layers\.0\._codebook\.embed$", "quantizer.codebook"),
    (r"^enc_p\.ssl_proj\.", "text_encoder.token_input."),
    (r"^enc_p\.encoder_ssl\.", "text_encoder.token_layers."),
    (r"^enc_p\.text_embedding\.", "text_encoder.phoneme_embedding."),
    (r"^enc_p\.encoder_text\.", "text_encoder.phoneme_layers."),
    (r"^enc_p\.encoder2\.", "text_encoder.joint_layers."),
    (r"^enc_p\.proj\.", "text_encoder.statistics."),
    (r"^enc_p\.mrte\.", "text_encoder.mrte."),
    (r"^sv_emb\.", "verification.input."),
    (r"^prelu\.", "verification.rectifier."),
    (r"^ge_to512\.", "verification.meeting."),
    # Transformers.
    (r"_layers\.attn_layers\.(\d+)\.", r"_layers.layers.\1.attention."),
    (r"_layers\.norm_layers_1\.(\d+)\.", r"_layers.layers.\1.attention_norm."),
    (r"_layers\.ffn_layers\.(\d+)\.", r"_layers.layers.\1.feed_forward."),
    (r"_layers\.norm_layers_2\.(\d+)\.", r"_layers.layers.\1.feed_forward_norm."),
    (r"norm\.gamma$", "norm.weight"),
    (r"norm\.beta$", "norm.bias"),
    (r"\.emb_rel_k$", ".near_keys"),
    (r"\.emb_rel_v$", ".near_values"),
    (r"feed_forward\.conv_1\.", "feed_forward.inner."),
    (r"feed_forward\.conv_2\.", "feed_forward.outer."),
    (r"mrte\.cross_attention\.", "mrte.attention."),
    (r"attention\.conv_q\.", "attention.query."),
    (r"attention\.conv_k\.", "attention.key."),
    (r"attention\.conv_v\.", "attention.value."),
    (r"attention\.conv_o\.", "attention.output."),
    (r"mrte\.c_pre\.", "mrte.token_input."),
    (r"mrte\.text_pre\.", "mrte.phoneme_input."),
    (r"mrte\.c_post\.", "mrte.output."),
    # The reference encoder: upstream's lists hold activations and dropout too.
    (r"^ref_enc\.spectral\.0\.fc\.", "reference_encoder.spectral.0."),
    (r"^ref_enc\.spectral\.3\.fc\.", "reference_encoder.spectral.1."),
    (r"^ref_enc\.temporal\.(\d+)\.conv1\.conv\.", r"reference_encoder.temporal.\1.conv."),
    (r"^ref_enc\.slf_attn\.w_qs\.", "reference_encoder.attention.query."),
    (r"^ref_enc\.slf_attn\.w_ks\.", "reference_encoder.attention.key."),
    (r"^ref_enc\.slf_attn\.w_vs\.", "reference_encoder.attention.value."),
    (r"^ref_enc\.slf_attn\.fc\.", "reference_encoder.attention.output."),
    (r"^ref_enc\.fc\.fc\.", "reference_encoder.output."),
    # The flow, where every other layer of upstream's is a flip without weights.
    (r"^flow\.flows\.0\.", "flow.couplings.0."),
    (r"^flow\.flows\.2\.", "flow.couplings.1."),
    (r"^flow\.flows\.4\.", "flow.couplings.2."),
    (r"^flow\.flows\.6\.", "flow.couplings.3."),
    (r"^(flow\.couplings\.\d)\.pre\.", r"\1.input."),
    (r"^(flow\.couplings\.\d)\.post\.", r"\1.output."),
    (r"^(flow\.couplings\.\d)\.enc\.cond_layer\.", r"\1.wavenet.speaker."),
    (r"^(flow\.couplings\.\d)\.enc\.in_layers\.", r"\1.wavenet.gates."),
    (r"^(flow\.couplings\.\d)\.enc\.res_skip_layers\.", r"\1.wavenet.outputs."),
    # The vocoder; its residual blocks are told apart in `_block`.
    (r"^dec\.conv_pre\.", "vocoder.input."),
    (r"^dec\.cond\.", "vocoder.speaker."),
    (r"^dec\.conv_post\.", "vocoder.output."),
    (r"^dec\.ups\.(\d+)\.", r"vocoder.stages.\1.upsample."),
)
_RULES = tuple((re.compile(pattern), ours) for pattern, ours in _RENAMED)
_BLOCK = re.compile(r"^dec\.resblocks\.(\d+)\.convs([12])\.")

_REMEDY = "The file is damaged or of a variant that is not supported; export or download it again."


def load(model: nn.Module, weights: Mapping[str, Tensor], n_blocks: int) -> None:
    """Fill the model from a checkpoint, weight normalisation folded into the weights.

    Args:
        model: The SoVITS model.
        weights: The checkpoint's tensors by upstream's names, in any precision.
        n_blocks: Residual blocks in each stage of the vocoder.

    Raises:
        ModelError: A tensor is missing, unknown or of another shape; the message names it.
    """
    kept = {key: value.float() for key, value in weights.items() if not DROPPED.match(key)}
    folded = _fold(kept)
    upstream_names = {rename(key, n_blocks): key for key in folded}
    expected = model.state_dict()
    _refuse_unknown(name for ours, name in upstream_names.items() if ours not in expected)
    _refuse_missing(key for key in expected if key not in upstream_names)
    state = {
        ours: _shaped(folded[name], expected[ours], name) for ours, name in upstream_names.items()
    }
    model.load_state_dict(state, strict=True)


def rename(key: str, n_blocks: int) -> str:
    """Return our name of a tensor of upstream's, or a name that no model has."""
    key = _BLOCK.sub(lambda found: _block(found, n_blocks), key)
    for pattern, ours in _RULES:
        key = pattern.sub(ours, key)
    return key


def _block(found: re.Match[str], n_blocks: int) -> str:
    stage, block = divmod(int(found[1]), n_blocks)
    return f"vocoder.stages.{stage}.blocks.{block}.{'dilated' if found[2] == '1' else 'plain'}."


def _fold(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace each pair of gain and direction by the weight they stand for.

    Salimans and Kingma, "Weight Normalization" (2016): weight = gain · direction / |direction|,
    with the norm taken over all dimensions but the first.
    """
    folded = dict(weights)
    for gain_end, direction_end in zip(_GAINS, _DIRECTIONS, strict=True):
        for key in [key for key in weights if key.endswith(direction_end)]:
            stem = key.removesuffix(direction_end)
            direction = folded.pop(key)
            gain = folded.pop(stem + gain_end, None)
            if gain is None:
                _refuse_missing([stem + gain_end])
                continue
            norm = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
            folded[f"{stem}.weight"] = direction * (gain / norm)
    return folded


def _shaped(tensor: Tensor, like: Tensor, name: str) -> Tensor:
    """Return a tensor in our model's shape, which differs only in dimensions of length one."""
    if [size for size in tensor.shape if size > 1] != [size for size in like.shape if size > 1]:
        raise ModelError(
            f"The tensor {name} of the SoVITS checkpoint has the shape {list(tensor.shape)}, "
            f"which does not fit its config ({list(like.shape)} expected). {_REMEDY}"
        )
    return tensor.reshape(like.shape)


def _refuse_unknown(names: Iterable[str]) -> None:
    for name in names:
        raise ModelError(f"The SoVITS checkpoint has an unknown tensor {name}. {_REMEDY}")


def _refuse_missing(names: Iterable[str]) -> None:
    for name in names:
        raise ModelError(f"The SoVITS checkpoint lacks the tensor {name}. {_REMEDY}")

"""Our names of tensors ↔ upstream's: the one place that knows both.

A checkpoint must hold exactly what the model needs, apart from what only training uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from pipeline.errors import ModelError

#: Only training uses them: the posterior encoder, and how the codebook was learned.
DROPPED = re.compile(
    r"enc_q\.|quantizer\.vq\.layers\.0\._codebook\.(inited|cluster_size|embed_avg)$"
)

#: The two halves of a weight under weight normalisation, in PyTorch's older and newer naming.
HALVES = (
    ("weight_v", "weight_g"),
    ("parametrizations.weight.original1", "parametrizations.weight.original0"),
)

#: (ours, upstream's), applied in this order; every pattern that matches is replaced.
_RENAMED: tuple[tuple[str, str], ...] = (
    (r"^quantizer\.projection\.", "ssl_proj."),
    (r"^quantizer\.codebook$", "quantizer.vq.layers.0._codebook.embed"),
    (r"^verification\.input\.", "sv_emb."),
    (r"^verification\.rectifier\.", "prelu."),
    (r"^verification\.meeting\.", "ge_to512."),
    # Transformers, and where they meet.
    (r"\.layers\.(\d+)\.attention\.", r".attn_layers.\1."),
    (r"\.layers\.(\d+)\.attention_norm\.", r".norm_layers_1.\1."),
    (r"\.layers\.(\d+)\.feed_forward\.", r".ffn_layers.\1."),
    (r"\.layers\.(\d+)\.feed_forward_norm\.", r".norm_layers_2.\1."),
    (r"(norm_layers_\d\.\d+)\.weight$", r"\1.gamma"),
    (r"(norm_layers_\d\.\d+)\.bias$", r"\1.beta"),
    (r"(ffn_layers\.\d+)\.inner\.", r"\1.conv_1."),
    (r"(ffn_layers\.\d+)\.outer\.", r"\1.conv_2."),
    (r"(attn_layers\.\d+)\.near_keys$", r"\1.emb_rel_k"),
    (r"(attn_layers\.\d+)\.near_values$", r"\1.emb_rel_v"),
    (r"mrte\.attention\.", "mrte.cross_attention."),
    (r"(attn_layers\.\d+|cross_attention)\.query\.", r"\1.conv_q."),
    (r"(attn_layers\.\d+|cross_attention)\.key\.", r"\1.conv_k."),
    (r"(attn_layers\.\d+|cross_attention)\.value\.", r"\1.conv_v."),
    (r"(attn_layers\.\d+|cross_attention)\.output\.", r"\1.conv_o."),
    (r"mrte\.token_input\.", "mrte.c_pre."),
    (r"mrte\.phoneme_input\.", "mrte.text_pre."),
    (r"mrte\.output\.", "mrte.c_post."),
    (r"^text_encoder\.token_input\.", "enc_p.ssl_proj."),
    (r"^text_encoder\.token_layers\.", "enc_p.encoder_ssl."),
    (r"^text_encoder\.phoneme_embedding\.", "enc_p.text_embedding."),
    (r"^text_encoder\.phoneme_layers\.", "enc_p.encoder_text."),
    (r"^text_encoder\.joint_layers\.", "enc_p.encoder2."),
    (r"^text_encoder\.statistics\.", "enc_p.proj."),
    (r"^text_encoder\.mrte\.", "enc_p.mrte."),
    # The reference encoder; upstream counts activations and dropout too.
    (r"^reference_encoder\.spectral\.0\.", "ref_enc.spectral.0.fc."),
    (r"^reference_encoder\.spectral\.1\.", "ref_enc.spectral.3.fc."),
    (r"^reference_encoder\.temporal\.(\d)\.conv\.", r"ref_enc.temporal.\1.conv1.conv."),
    (r"^reference_encoder\.attention\.query\.", "ref_enc.slf_attn.w_qs."),
    (r"^reference_encoder\.attention\.key\.", "ref_enc.slf_attn.w_ks."),
    (r"^reference_encoder\.attention\.value\.", "ref_enc.slf_attn.w_vs."),
    (r"^reference_encoder\.attention\.output\.", "ref_enc.slf_attn.fc."),
    (r"^reference_encoder\.output\.", "ref_enc.fc.fc."),
    # The flow; the couplings are counted below.
    (r"\.wavenet\.speaker\.", ".enc.cond_layer."),
    (r"\.wavenet\.gates\.", ".enc.in_layers."),
    (r"\.wavenet\.outputs\.", ".enc.res_skip_layers."),
    (r"^(flow\.couplings\.\d)\.input\.", r"\1.pre."),
    (r"^(flow\.couplings\.\d)\.output\.", r"\1.post."),
    # The vocoder; the residual blocks are counted below.
    (r"^vocoder\.input\.", "dec.conv_pre."),
    (r"^vocoder\.speaker\.", "dec.cond."),
    (r"^vocoder\.output\.", "dec.conv_post."),
    (r"^vocoder\.stages\.(\d+)\.upsample\.", r"dec.ups.\1."),
)
_RULES = tuple((re.compile(ours), theirs) for ours, theirs in _RENAMED)
_COUPLING = re.compile(r"^flow\.couplings\.(\d)\.")
_BLOCK = re.compile(r"^vocoder\.stages\.(\d+)\.blocks\.(\d+)\.(dilated|plain)\.")

_REMEDY = "The file is damaged or of a variant that is not supported; export or download it again."


def load(model: nn.Module, weights: Mapping[str, Tensor], n_blocks: int) -> None:
    """Fill the model from a checkpoint, weight normalisation folded into the weights.

    Args:
        model: The SoVITS model, its tensors without values.
        weights: The checkpoint's tensors by upstream's names, in any precision.
        n_blocks: Residual blocks in each stage of the vocoder.

    Raises:
        ModelError: A tensor is missing, unknown or of another shape; the message names it.
    """
    left = {key: value for key, value in weights.items() if not DROPPED.match(key)}
    state: dict[str, Tensor] = {}
    for ours, like in model.state_dict().items():
        name = upstream_name(ours, n_blocks)
        state[ours] = _shaped(_take(left, name), like, name)
    if left:
        raise ModelError(f"The SoVITS checkpoint has an unknown tensor {min(left)}. {_REMEDY}")
    model.load_state_dict(state, strict=True, assign=True)


def upstream_name(ours: str, n_blocks: int) -> str:
    """Return what upstream calls a tensor of ours."""
    name = _BLOCK.sub(lambda found: _block(found, n_blocks), ours)
    for pattern, theirs in _RULES:
        name = pattern.sub(theirs, name)
    # Every other layer of upstream's flow is a flip without weights.
    return _COUPLING.sub(lambda found: f"flow.flows.{2 * int(found[1])}.", name)


def _block(found: re.Match[str], n_blocks: int) -> str:
    """Upstream counts the blocks of all stages in one list."""
    index = int(found[1]) * n_blocks + int(found[2])
    return f"dec.resblocks.{index}.convs{'1' if found[3] == 'dilated' else '2'}."


def _take(left: dict[str, Tensor], name: str) -> Tensor:
    """Take a tensor, or the two halves of it, from those that are left."""
    if name in left:
        return left.pop(name).float()
    for halves in HALVES:
        direction, gain = (name.removesuffix("weight") + half for half in halves)
        if name.endswith("weight") and (direction in left or gain in left):
            return _folded(_pop(left, direction), _pop(left, gain), name)
    return _pop(left, name)


def _pop(left: dict[str, Tensor], name: str) -> Tensor:
    if name not in left:
        raise ModelError(f"The SoVITS checkpoint lacks the tensor {name}. {_REMEDY}")
    return left.pop(name).float()


def _folded(direction: Tensor, gain: Tensor, name: str) -> Tensor:
    """Return the weight that a direction and a gain stand for.

    Salimans and Kingma, "Weight Normalization" (2016): gain · direction / |direction|, with the
    norm taken over all dimensions but the first.
    """
    if gain.numel() != direction.shape[0]:
        raise ModelError(
            f"The gain of {name} of the SoVITS checkpoint has the shape {list(gain.shape)}, which "
            f"does not fit its direction {list(direction.shape)}. {_REMEDY}"
        )
    norm = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
    return direction * (gain.view_as(norm) / norm)


def _shaped(tensor: Tensor, like: Tensor, name: str) -> Tensor:
    """Return a tensor in our model's shape, which differs only in dimensions of length one."""
    if [size for size in tensor.shape if size > 1] != [size for size in like.shape if size > 1]:
        raise ModelError(
            f"The tensor {name} of the SoVITS checkpoint has the shape {list(tensor.shape)}, "
            f"which does not fit its config ({list(like.shape)} expected). {_REMEDY}"
        )
    return tensor.reshape(like.shape)

"""The weights of the golden cases: each tensor drawn from its key, its shape and a seed.

NumPy promises that the stream of its legacy generator never changes, so a real-size checkpoint
needs no stored weights. What a tensor's numbers are scaled by follows from its role, read from the
key; the rules are those the golden set was made with.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Constants of the architecture, which are not drawn.
CONSTANTS = (".filter", "inv_freq", "freqs_cis")

#: Newer names of the two halves of weight normalisation.
_RENAMED = {
    ".parametrizations.weight.original0": ".weight_g",
    ".parametrizations.weight.original1": ".weight_v",
}
_UPSAMPLER = re.compile(r"(^|\.)ups\.")
_SPLIT_UPSAMPLER = re.compile(r"(^|\.)ups\.\d+\.\d+\.")


def checkpoint(
    shapes: Mapping[str, Sequence[int]], seed: int, *, half: bool, int_keys: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Return the state dict of a case: float32, or int64 zeros for counters.

    Args:
        shapes: Shape of each tensor by key.
        seed: The case's seed.
        half: Whether values are rounded to half precision, as a stored checkpoint's are.
        int_keys: Counters of batch normalisation.
    """
    found: dict[str, np.ndarray] = {}
    for key in sorted(shapes):
        if key.endswith(CONSTANTS):
            continue
        if key in int_keys:
            found[key] = np.zeros(shapes[key], np.int64)
            continue
        value = tensor(key, tuple(shapes[key]), seed)
        found[key] = value.astype(np.float16).astype(np.float32) if half else value
    return found


def tensor(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return one tensor in float32."""
    for newer, older in _RENAMED.items():
        if key.endswith(newer):
            key = key.removesuffix(newer) + older
    return _scaled(key, shape, seed).astype(np.float32)


def _uniform(key: str, shape: tuple[int, ...], seed: int) -> Array:
    """Return numbers from -1 to 1 that depend on nothing but the arguments."""
    stream = np.random.RandomState(zlib.crc32(f"{seed}:{key}".encode()))
    return (stream.random_sample(math.prod(shape)) * 2.0 - 1.0).reshape(shape)


def _scaled(key: str, shape: tuple[int, ...], seed: int) -> Array:
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "inited":
        return np.ones(shape)
    if leaf in ("embed", "embed_avg"):  # a codebook and the copy its training keeps
        twin = key.replace("embed_avg", "embed")
        return _uniform(twin, shape, seed) * np.sqrt(3.0)
    drawn = _uniform(key, shape, seed)
    by_name = {
        "cluster_size": lambda: 10 + 5 * drawn,
        "running_mean": lambda: 0.1 * drawn,
        "running_var": lambda: 1 + 0.2 * drawn,
        "emb_rel_k": lambda: drawn * np.sqrt(3.0 / shape[-1]),
        "emb_rel_v": lambda: drawn * np.sqrt(3.0 / shape[-1]),
        "weight_g": lambda: _gain(key, drawn),
    }
    if leaf in by_name:
        return by_name[leaf]()
    return _by_role(key, leaf, shape, drawn)


def _by_role(key: str, leaf: str, shape: tuple[int, ...], drawn: Array) -> Array:
    n_dims = len(shape)
    if leaf in ("alpha", "beta") and ".act" in key:  # a snake activation, in logarithms
        return 0.3 * drawn
    if leaf == "alpha":  # scale of a position embedding
        return 0.8 + 0.2 * drawn
    if leaf == "gamma" and n_dims == 3:  # global response normalisation
        return 0.5 * drawn
    if leaf == "gamma" or (leaf == "weight" and n_dims == 1):
        return 0.25 + 0.1 * drawn if "prelu" in key else 1 + 0.1 * drawn
    if leaf in ("bias", "beta", "in_proj_bias") or n_dims < 2:
        return 0.1 * drawn
    return _matrix(key, shape, drawn)


def _gain(key: str, drawn: Array) -> Array:
    gain = 1 + 0.1 * drawn
    if _SPLIT_UPSAMPLER.search(key):
        gain = 0.7 * gain
    elif _UPSAMPLER.search(key):
        gain = 2 * gain
    return 0.01 * gain if "conv_post" in key else gain


def _matrix(key: str, shape: tuple[int, ...], drawn: Array) -> Array:
    if "embedding" in key and len(shape) == 2:
        return drawn * np.sqrt(3.0) * 0.5
    fan_in = math.prod(shape[1:])
    if _UPSAMPLER.search(key):  # transposed: [C_in, C_out, kernel]
        fan_in = max(1, int(shape[0] * shape[2] / 4))
    scaled = drawn * np.sqrt(3.0 / fan_in)
    return 0.1 * scaled if "conv_post" in key else scaled

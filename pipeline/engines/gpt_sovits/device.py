"""Which processor computes, in which precision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from pipeline.engines.gpt_sovits.semantic.linear import Precision, has_fast_bf16
from pipeline.engines.gpt_sovits.sovits import model as sovits
from pipeline.errors import RequestError

#: What the user may ask for.
PRECISIONS = ("auto", *get_args(Precision))
_DEVICE = re.compile(r"cpu|cuda(:[0-9]+)?")

#: Sequences side by side on a CPU, and the numbers to choose from on a GPU.
CPU_SLOTS = 16
CUDA_SLOTS = (8, 16, 32, 64, 128)
#: A GPU's keys and values: the memory of a slot, and the share of the GPU's that they may take.
SLOT_BYTES, CACHE_SHARE = 100_000_000, 0.2


@dataclass(frozen=True, slots=True)
class Placement:
    """A processor and the precision of each network on it."""

    device: torch.device
    #: Of the GPT stage's layers.
    semantic: Precision
    #: Of the vocoder.
    vocoder: sovits.Precision
    #: Of BERT and HuBERT.
    encoders: torch.dtype

    @property
    def label(self) -> str:
        """What identifies how numbers are rounded, for fingerprints."""
        return f"{self.processor} {self.semantic} {self.vocoder}"

    @property
    def processor(self) -> str:
        """The kind of processor; GPUs of two models may round differently."""
        is_gpu = self.device.type == "cuda"
        return torch.cuda.get_device_name(self.device) if is_gpu else self.device.type

    @property
    def n_slots(self) -> int:
        """How many sequences are decoded side by side: on a GPU as many as its memory allows.

        By its size, not by what is free now: the number of slots decides how a GPU rounds.
        """
        if self.device.type != "cuda":
            return CPU_SLOTS
        total = torch.cuda.get_device_properties(self.device).total_memory
        fitting = int(total * CACHE_SHARE / SLOT_BYTES)
        return max(each for each in CUDA_SLOTS if each <= max(fitting, min(CUDA_SLOTS)))


def place(device: str = "auto", precision: str = "auto") -> Placement:
    """Return where and how to compute.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto", "fp32", "bf16", "fp16" or "int8".

    Raises:
        RequestError: There is no such device or precision, or it is not on this machine.
    """
    if precision not in PRECISIONS:
        raise RequestError(f"No precision {precision!r}. Choose one of: {', '.join(PRECISIONS)}.")
    found = _device(device)
    if found.type == "cuda":
        semantic: Precision = "fp16" if precision == "auto" else _precision(precision)
        half: Literal["fp32", "bf16", "fp16"] = "fp16" if semantic == "int8" else semantic
        dtype = torch.float32 if semantic == "fp32" else torch.float16
        return Placement(found, semantic, half, dtype)
    fast: Literal["fp32", "bf16"] = "bf16" if has_fast_bf16() else "fp32"
    # int8 is faster for single chunks, but strays further from fp32: only for those who ask.
    semantic = fast if precision == "auto" else _precision(precision)
    # On a CPU half precision is stored, not computed with, unless the processor knows bf16.
    vocoder: Literal["fp32", "bf16"] = "fp32" if semantic == "fp32" else fast
    return Placement(found, semantic, vocoder, torch.float32)


class Beside:
    """Work beside what a device is doing: on a GPU in a stream of its own.

    Only kernels that give the same each time are used.

    Args:
        device: Where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)
            # Whatever was begun until now, such as loading a model, may be what the work needs.
            self._stream.wait_stream(torch.cuda.current_stream(device))

    @contextmanager
    def work(self) -> Iterator[None]:
        """Do what is in the block; what it copies to the CPU waits for nothing else."""
        if self._stream is None:
            yield
            return
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.cuda.stream(self._stream), exact:
            yield


def _precision(name: str) -> Precision:
    (found,) = (each for each in get_args(Precision) if each == name)
    precision: Precision = found
    return precision


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not _DEVICE.fullmatch(name):
        raise RequestError(f"No device {name!r}. Choose auto, cpu, cuda, or cuda:N.")
    kind, _, index = name.partition(":")
    if kind == "cuda":
        n_devices = torch.cuda.device_count()
        if int(index or 0) >= n_devices:
            raise RequestError(
                f"The device {name!r} is not on this machine: torch sees {n_devices} CUDA "
                "device(s). Choose cpu, or install a torch built for CUDA and its driver."
            )
    return torch.device(name)

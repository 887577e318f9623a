"""Parameters, devices and precisions: what may be chosen, and what is said otherwise."""

from __future__ import annotations

import pytest
import torch

from pipeline.engines.gpt_sovits.device import PRECISIONS, place
from pipeline.engines.gpt_sovits.parameters import Parameters, bounds
from pipeline.engines.gpt_sovits.semantic.linear import has_fast_bf16
from pipeline.errors import RequestError


def test_names_and_defaults_are_upstreams() -> None:
    plain = Parameters()
    assert (plain.top_k, plain.top_p, plain.temperature) == (15, 1.0, 1.0)
    assert (plain.repetition_penalty, plain.speed, plain.fragment_interval) == (1.35, 1.0, 0.3)
    assert Parameters.read({}) == plain


def test_values_are_read_as_what_they_are() -> None:
    read = Parameters.read({"top_k": "5", "temperature": "0.7", "text_split_method": "cut5"})
    assert read == Parameters(top_k=5, temperature=0.7, text_split_method="cut5")
    assert read.sampling.top_k == 5


@pytest.mark.parametrize("name", bounds())
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_beyond_its_bounds_is_refused_with_them(name: str, side: int) -> None:
    end = bounds()[name][side]
    Parameters.read({name: str(end)})
    low, high = bounds()[name]
    with pytest.raises(RequestError, match=f"{name} is .*; it must be from {low} to {high}"):
        Parameters.read({name: str((low - 1, high + 1)[side])})


@pytest.mark.parametrize("name", bounds())
@pytest.mark.parametrize("text", ["much", "", "1,5"])
def test_what_is_no_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(RequestError, match=f"{name} is '{text}', not a (whole )?number"):
        Parameters.read({name: text})


@pytest.mark.parametrize("name", [name for name in bounds() if name != "top_k"])
@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_numbers_without_end_are_refused(name: str, text: str) -> None:
    with pytest.raises(RequestError, match=f"{name} is {text}"):
        Parameters.read({name: text})


def test_a_fraction_of_a_token_is_told_to_be_no_whole_number() -> None:
    with pytest.raises(RequestError, match=r"top_k is '2\.5', not a whole number"):
        Parameters.read({"top_k": "2.5"})


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"No parameter 'topk'.*top_k.*speed"):
        Parameters.read({"topk": "5"})


def test_an_unknown_way_of_cutting_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match=r"text_split_method is 'cut9'.*cut0, cut1"):
        Parameters.read({"text_split_method": "cut9"})


# --- Device and precision -------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_cpu_takes_every_precision(precision: str) -> None:
    placement = place("cpu", precision)
    assert placement.device == torch.device("cpu")
    assert placement.encoders == torch.float32
    if precision != "auto":
        assert placement.semantic == precision
    expected = "bf16" if placement.semantic != "fp32" and has_fast_bf16() else "fp32"
    assert placement.vocoder == expected


def test_another_precision_is_another_label() -> None:
    labels = {place("cpu", precision).label for precision in ("fp32", "bf16", "fp16", "int8")}
    assert len(labels) == 4


@pytest.mark.parametrize("precision", ["fp64", "", "FP32", "float32"])
def test_an_unknown_precision_is_refused_with_those_there_are(precision: str) -> None:
    with pytest.raises(RequestError, match=f"No precision '{precision}'.*auto, fp32, bf16"):
        place("cpu", precision)


@pytest.mark.parametrize(
    "device",
    ["gpu", "", "cpu:", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "cuda:0:1", "mps"],
)
def test_an_unknown_device_is_refused_with_those_there_are(device: str) -> None:
    with pytest.raises(RequestError, match=f"No device '{device}'.*auto, cpu, cuda, or cuda:N"):
        place(device)


@pytest.mark.parametrize("device", ["cuda:99", "cuda:0099"])
def test_a_gpu_that_is_not_there_is_told_of(device: str) -> None:
    with pytest.raises(RequestError, match=rf"'{device}' is not on this machine.*Choose cpu"):
        place(device)

"""The same chunk in any batch gives the same tokens, to the last bit of every sum."""

from __future__ import annotations

import random
from functools import cache

import pytest
import tiny_semantic as tiny
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engines.gpt_sovits.semantic.config import SemanticConfig
from pipeline.engines.gpt_sovits.semantic.decoder import Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.linear import Precision
from pipeline.engines.gpt_sovits.semantic.model import TextToSemantic
from pipeline.engines.gpt_sovits.semantic.sampling import Sampling

#: Minutes of processor time in all: `make test` runs them, `make check` does not.
pytestmark = pytest.mark.slow

SIZES = {"small": tiny.SMALL, "wide": tiny.WIDE}

network = cache(tiny.network)

#: Far from greedy: what is drawn depends on every digit of the logits.
samplings = st.builds(
    Sampling,
    top_k=st.sampled_from([5, 15, 1025]),
    top_p=st.sampled_from([0.8, 1.0]),
    temperature=st.sampled_from([0.7, 1.0, 1.5]),
    repetition_penalty=st.sampled_from([1.0, 1.35]),
)


def requests(config: SemanticConfig, longest: int) -> st.SearchStrategy[SemanticRequest]:
    return st.builds(
        tiny.request,
        st.just(config),
        n_phonemes=st.integers(1, 90),
        n_prompt=st.integers(0, 60),
        seed=st.integers(0, 2**32 - 1),
        sampling=samplings,
        max_new_tokens=st.integers(1, longest),
    )


def require_equal_in_all_batches(
    model: TextToSemantic, wanted: list[SemanticRequest], order: random.Random
) -> None:
    alone = tiny.said(tiny.decode(Decoder(model, n_slots=1), wanted))
    for n_slots in (4, 16):
        shuffled = order.sample(range(len(wanted)), len(wanted))
        decoder = Decoder(model, n_slots=n_slots)
        together = tiny.said(tiny.decode(decoder, [wanted[i] for i in shuffled]))
        assert together == [alone[i] for i in shuffled]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize(("size", "n_examples"), [("small", 10), ("wide", 3)])
def test_tokens_do_not_depend_on_batch_order_or_batch_mates(
    size: str, n_examples: int, precision: Precision
) -> None:
    config = SIZES[size]

    @settings(max_examples=n_examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(requests(config, longest=30), min_size=2, max_size=20),
        st.randoms(use_true_random=False),
    )
    def check(wanted: list[SemanticRequest], order: random.Random) -> None:
        require_equal_in_all_batches(network(config, precision), wanted, order)

    check()


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_sixteen_long_sequences_at_real_width_are_those_of_each_alone(precision: Precision) -> None:
    stream = random.Random(1)
    wanted = [
        tiny.request(
            tiny.WIDE,
            n_phonemes=stream.randint(5, 90),
            n_prompt=stream.choice([0, 25, 75]),
            seed=seed,
            sampling=Sampling(top_k=stream.choice([15, 1025])),
            max_new_tokens=stream.randint(10, 36),
        )
        for seed in range(16)
    ]
    require_equal_in_all_batches(network(tiny.WIDE, precision), wanted, stream)

"""How a GPU takes steps: as a recorded CUDA graph, always with the same number of rows.

A step is some hundred kernels of a few microseconds; told one by one by Python they would take
far longer to launch than to run. So the whole step, sampling included, is captured once and
replayed, and only every few steps anyone asks what was said.

A chunk's tokens must not depend on its batch-mates. Which kernel a GPU's library multiplies with,
and so how sums are rounded, depends on the number of rows; so all slots take part in every step,
whether in use or not, and prefixes are read in passes of one size (padded.py). Idle rows cost
little: the weights are read once for all rows, and the attention of a row reads what the row has
(kernels.py). It follows that the same chunk may be rounded otherwise with another number of slots:
choose it once. Rows that are done or empty compute harmlessly: their lengths stay as they are, and
what they write is read by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from pipeline.engines.gpt_sovits.semantic import fused, padded
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.semantic.runaway import MAX_NEW_TOKENS
from pipeline.engines.gpt_sovits.semantic.sampling import Limits
from pipeline.engines.gpt_sovits.semantic.slots import Slots
from pipeline.engines.gpt_sovits.semantic.stepping import MOST_STEPS, allocated
from pipeline.errors import EngineError

#: Positions of a slot: a prefix of the longest usual kind, and a minute of speech.
CAPACITY = 2048
#: Positions read in one pass.
PREFILL_ROWS = 2048
#: A step is captured once for everyday values of top_k, and once for any.
EVERYDAY_TOP_K = 32

Step = Callable[[], None]


class FixedRows:
    """All slots take every step together.

    Args:
        model: The network.
        slots: The sequences' state, all of them empty.
        capacity: Positions allocated for a sequence, for good.
        prefill_rows: Positions read in one pass.
        capture: Turns a step into one that is cheaper to repeat; runs it once or not at all.
    """

    poll_every = MOST_STEPS

    def __init__(
        self,
        model: TextToSemantic,
        slots: Slots,
        capacity: int | None = None,
        *,
        prefill_rows: int = PREFILL_ROWS,
        capture: Callable[[Step], Step] | None = None,
    ) -> None:
        self._model, self._slots, self._prefill_rows = model, slots, prefill_rows
        dtype = fused.dtype(model)
        self.cache = allocated(model, slots, capacity or CAPACITY, dtype)
        self._read = fused.reader(model, self.cache)
        capture = capture or Capture(model.device)
        self._steps = {kind: capture(partial(self._advance, kind)) for kind in self._kinds()}

    def room(self, length: int) -> int:
        """Return how many new tokens there is room for behind a prefix of so many positions.

        Raises:
            EngineError: The prefix itself is too long.
        """
        # A sequence at its limit goes on until someone looks.
        room = self.cache.capacity - length - self.poll_every
        if room < 1 or length > self._prefill_rows:
            longest = min(self._prefill_rows, self.cache.capacity - self.poll_every - 1)
            raise EngineError(
                f"The text and the voice's reference take {length} positions; at most "
                f"{longest} fit on the GPU. Make the chunk or the reference audio shorter."
            )
        return min(room, MAX_NEW_TOKENS)

    def read(self, prefixes: Sequence[Prefix], rows: Sequence[int]) -> Tensor:
        """Read prefixes into rows of the cache; return their first logits [n, V]."""
        return padded.prefill(self._model, prefixes, rows, self.cache, self._prefill_rows)

    def step(self, n: int, limits: Limits) -> None:  # noqa: ARG002
        """Say one more token in all rows, of which the first n are in use."""
        top_k = self._top_k(limits.top_k)
        self._steps[Limits(top_k, limits.has_top_p)]()

    def _kinds(self) -> list[Limits]:
        n_tokens = self._model.config.n_tokens
        top_ks = {self._top_k(1), n_tokens}
        return [Limits(top_k, has_top_p) for top_k in top_ks for has_top_p in (False, True)]

    def _top_k(self, top_k: int) -> int:
        n_tokens = self._model.config.n_tokens
        return min(EVERYDAY_TOP_K, n_tokens) if top_k <= EVERYDAY_TOP_K else n_tokens

    def _advance(self, limits: Limits) -> None:
        with torch.inference_mode():
            self._slots.advance(self._model, self._read, self._slots.n_slots, limits)


class Capture:
    """Captures steps as CUDA graphs, which share the memory of what is computed on the way.

    Args:
        device: A GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._pool = device, torch.cuda.graph_pool_handle()

    def __call__(self, step: Step) -> Step:
        """Return what replays a step.

        The step is run once before, on a stream of its own: that loads its kernels, which must not
        happen during the capture.
        """
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                step()
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                step()
        replay: Step = graph.replay
        return replay

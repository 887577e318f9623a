"""The cloning engine on a processor: both stages by precision, the whole, and the first sound.

    python -m bench.gpt_sovits [--threads 2] [--only gpt,sovits,whole]

Weights are random at real size: time does not depend on their values. Yardsticks run in turn with
what is measured, in one process. Of the GPT stage it is the same network as upstream runs it: fp32,
one sequence at a time, keys and values joined anew for every token.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench import gpt_sovits_models as models
from bench import gpt_sovits_sovits as sovits
from bench import table
from bench.gpt_sovits_cuda import N_PHONEMES, N_PROMPT, requests, texts
from pipeline.engines.gpt_sovits.device import place
from pipeline.engines.gpt_sovits.semantic.decoder import Decoder, SemanticRequest
from pipeline.engines.gpt_sovits.semantic.model import Prefix, TextToSemantic
from pipeline.engines.gpt_sovits.sound import SAMPLE_RATE_HZ
from pipeline.engines.gpt_sovits.synthesizer import SpeechRequest, Synthesizer

BATCHES = (1, 4, 8, 16)
PRECISIONS = ("fp32", "bf16", "int8")
#: Of the whole engine: those that are chosen for speed.
WHOLE_PRECISIONS = ("bf16", "int8")
#: New tokens of each sequence.
N_NEW = 100
ROUNDS = 3

#: Upstream on the same kind of machine, measured elsewhere: tokens a second by batch.
UPSTREAM_TOKENS_PER_S = {1: 25.3, 4: 43.5, 8: 58.0, 16: 66.4}


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def decoding_s(decoder: Decoder, wanted: Sequence[SemanticRequest]) -> float:
    """Return how long requests take."""
    return seconds(lambda: list(decoder.decode(wanted)))


@torch.inference_mode()
def straight(model: TextToSemantic, prefix: Prefix, n_new: int) -> list[int]:
    """Return greedy tokens, with keys and values joined anew for every token: the yardstick."""
    layers: Any = model.layers
    past: list[tuple[Tensor, Tensor]] = []
    n_heads, width = model.config.n_heads, model.config.width
    sees = torch.ones(prefix.length, prefix.length, dtype=torch.bool).tril()
    sees[: len(prefix.phoneme_ids), : len(prefix.phoneme_ids)] = True
    x, mask, said = model.embed_prefix(prefix), sees, []
    for step in range(n_new):
        for index, layer in enumerate(layers):
            qkv = functional.linear(x, layer.qkv.weight, layer.qkv.bias)
            q, k, v = qkv.view(len(x), 3, n_heads, width // n_heads).permute(1, 2, 0, 3)[:, None]
            if step:
                k, v = torch.cat((past[index][0], k), 2), torch.cat((past[index][1], v), 2)
                past[index] = (k, v)
            else:
                past.append((k, v))
            y = functional.scaled_dot_product_attention(q, k, v, None if step else mask)
            y = functional.linear(y[0].transpose(0, 1).flatten(1), layer.out.weight, layer.out.bias)
            x = layer.norm_attention(x + y)
            y = functional.linear(x, layer.up.weight, layer.up.bias).relu()
            x = layer.norm_network(x + functional.linear(y, layer.down.weight, layer.down.bias))
        token = int(functional.linear(x[-1:], model.head.weight).argmax())
        said.append(token)
        x = model.embed_tokens(torch.tensor([token]), torch.tensor([len(prefix.prompt) + step]))
    return said


def plain() -> TextToSemantic:
    """Return the network with plain fp32 weights."""
    was, torch.backends.mkldnn.is_available = torch.backends.mkldnn.is_available, lambda: False
    try:
        return models.semantic("fp32")
    finally:
        torch.backends.mkldnn.is_available = was


def gpt_stage() -> list[dict[str, Any]]:
    """Return the speed of the GPT stage by precision and batch, prefill included."""
    yardstick, rows = plain(), []
    networks = {precision: models.semantic(precision) for precision in PRECISIONS}
    straight(yardstick, models.prefix(), 3)
    for batch in BATCHES:
        decoders = {p: Decoder(networks[p], n_slots=batch) for p in PRECISIONS}
        for decoder in decoders.values():
            list(decoder.decode(requests(batch, 2)))
        first, whole = requests(batch, 1), requests(batch, N_NEW)
        first_s: dict[str, list[float]] = {p: [] for p in PRECISIONS}
        whole_s: dict[str, list[float]] = {p: [] for p in PRECISIONS}
        straight_s = []
        for _ in range(ROUNDS):
            straight_s.append(seconds(lambda: straight(yardstick, models.prefix(), N_NEW)))
            for precision, decoder in decoders.items():
                first_s[precision].append(decoding_s(decoder, first))
                whole_s[precision].append(decoding_s(decoder, whole))
        rows += [
            gpt_row(precision, batch, first_s[precision], whole_s[precision], straight_s)
            for precision in PRECISIONS
        ]
    return rows


def gpt_row(
    precision: str,
    batch: int,
    first_s: Sequence[float],
    whole_s: Sequence[float],
    straight_s: Sequence[float],
) -> dict[str, Any]:
    """Return a line of the table."""
    whole, first = statistics.median(whole_s), statistics.median(first_s)
    tokens_per_s = batch * N_NEW / whole
    return {
        "precision": precision,
        "batch": batch,
        "tokens_per_s": tokens_per_s,
        "without_prefill": batch * (N_NEW - 1) / (whole - first),
        "step_ms": 1000 * (whole - first) / (N_NEW - 1),
        "x_straight": tokens_per_s * statistics.median(straight_s) / N_NEW,
        "x_upstream_quoted": tokens_per_s / UPSTREAM_TOKENS_PER_S[batch],
    }


def sovits_stage() -> list[dict[str, Any]]:
    """Return the speed and loss of the SoVITS stage."""
    cases: list[tuple[Any, float, Any]] = [
        (version, length_s, precision)
        for version, lengths in (("v2", (3.0, 10.0)), ("v2Pro", (3.0, 10.0)), ("v2ProPlus", (3.0,)))
        for length_s in lengths
        for precision in ("fp32", "bf16")
    ]
    return [sovits.measure(*case, rounds=ROUNDS) for case in cases]


def whole_engine() -> list[dict[str, Any]]:
    """Return the real-time factor from text to sound, and how soon the first sound is there."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = models.write(Path(folder) / "pretrained_models")
        for precision in WHOLE_PRECISIONS:
            engine = models.synthesizer(files, place("cpu", precision), n_slots=16)
            rows.append({"precision": precision, **spoken(engine)})
            del engine
    return rows


def spoken(engine: Synthesizer) -> dict[str, Any]:
    """Return the figures of one engine."""
    clip = np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    prompt = engine.make_prompt([(clip, SAMPLE_RATE_HZ)], texts(1)[0], "zh")
    wanted = [SpeechRequest(text, "zh", prompt, seed) for seed, text in enumerate(texts(17))]
    next(engine.speak(wanted[:1]))
    started = time.perf_counter()
    waveforms = [spoken for _, spoken in engine.speak(wanted[1:])]
    took_s = time.perf_counter() - started
    sounds = [each for each in waveforms if isinstance(each, np.ndarray)]
    assert len(sounds) == len(waveforms), "a text was not spoken"
    audio_s = sum(map(len, sounds)) / SAMPLE_RATE_HZ
    return {
        "texts": len(sounds),
        "audio_s": audio_s,
        "rtf": took_s / audio_s,
        "first_sound_s": first_sound_s(engine, wanted[1]),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def first_sound_s(engine: Synthesizer, request: SpeechRequest) -> float:
    """Return how long the first piece of a stream takes."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        next(engine.stream(request))
        times.append(time.perf_counter() - started)
    return statistics.median(times)


#: Part → its title and how it is measured.
PARTS: dict[str, tuple[str, Callable[[], list[dict[str, Any]]]]] = {
    "gpt": (f"GPT stage: {N_PROMPT} prompt tokens, {N_PHONEMES} phonemes, {N_NEW} new", gpt_stage),
    "sovits": ("SoVITS stage, real-time factor (less is faster)", sovits_stage),
    "whole": ("The whole, text to sound, 16 texts side by side", whole_engine),
}


def main() -> None:
    """Measure, print, save; what is not measured this time keeps its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=",".join(PARTS))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for part in given.only.split(","):
        title, measure = PARTS[part]
        rows = measure()
        table.show(title, rows)
        table.save(f"gpt_sovits_{part}", {"threads": given.threads, "rows": rows})


if __name__ == "__main__":
    main()

"""The cloning engine on a CUDA GPU: tokens a second by batch, the whole engine, memory, sameness.

    python -m bench.gpt_sovits_cuda [--device cuda:0] [--texts 512]

Weights are random at real size. Besides speed it measures what cannot be tested without a GPU:
whether a sequence gets the same tokens alone and among others, and how long it stays with those
that a processor computes in fp32.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import table

BATCHES = (1, 16, 64, 128, 256)
N_PROMPT, N_PHONEMES, N_NEW = 100, 100, 300
#: Fragments that the whole engine decodes side by side.
N_SLOTS = 128
SAMPLE_RATE_HZ = 32_000

#: Sequences that are compared, and how many tokens of each with the processor's.
N_COMPARED, N_COMPARED_TOKENS = 16, 50

CLAUSES = (
    "今天的天气比昨天好多了",
    "他沿着河边慢慢地走回家去",
    "桌子上放着一封没有寄出的信",
    "谁也不知道那盏灯是什么时候熄灭的",
    "孩子们在院子里笑着跑来跑去",
    "她把窗户打开让风吹进屋里",
    "老人说这座桥已经有两百年了",
    "远处传来火车驶过的声音",
    "我们明天早上七点在车站见面",
    "书店的门口排着很长的队伍",
)

#: (figure, what it must reach, direction)
TARGETS = (
    ("tokens_per_s_1", 3_000, "≥"),
    ("tokens_per_s_128", 50_000, "≥"),
    ("x_real_time", 300, "≥"),
    ("same_alone", 1.0, "="),
)


def requests(n: int, n_new: int) -> list[Any]:
    """Return greedy requests, each with a prefix of its own."""
    from bench import gpt_sovits_models as models
    from pipeline.engines.gpt_sovits.semantic.decoder import SemanticRequest
    from pipeline.engines.gpt_sovits.semantic.sampling import Sampling

    return [
        SemanticRequest(
            models.prefix(N_PROMPT, N_PHONEMES, seed=seed),
            seed=seed,
            sampling=Sampling(top_k=1),
            max_new_tokens=n_new,
            stops_loops=False,
        )
        for seed in range(n)
    ]


def on(device: torch.device, wanted: Sequence[Any]) -> list[Any]:
    """Return the requests with their prefixes on a device."""
    from dataclasses import fields, replace

    def moved(prefix: Any) -> Any:
        values = {each.name: getattr(prefix, each.name).to(device) for each in fields(prefix)}
        return replace(prefix, **values)

    return [replace(each, prefix=moved(each.prefix)) for each in wanted]


def timed(decoder: Any, wanted: Sequence[Any], device: torch.device) -> tuple[float, list[Any]]:
    """Return seconds and tokens of decoding requests."""
    wanted = on(device, wanted)
    torch.cuda.synchronize(device)
    started = time.perf_counter()
    found = dict(decoder.decode(wanted))
    torch.cuda.synchronize(device)
    return time.perf_counter() - started, [found[i].tokens for i in range(len(wanted))]


def decoding(model: Any, n: int) -> dict[str, Any]:
    """Return the speed of the first stage with a number of sequences side by side."""
    from pipeline.engines.gpt_sovits.semantic.decoder import Decoder

    torch.cuda.reset_peak_memory_stats(model.device)
    started = time.perf_counter()
    decoder = Decoder(model, n_slots=n)
    capture_s = time.perf_counter() - started
    timed(decoder, requests(n, 20), model.device)
    short_s, _ = timed(decoder, requests(n, 20), model.device)
    whole_s, tokens = timed(decoder, requests(n, N_NEW), model.device)
    assert all(len(each) == N_NEW for each in tokens), "a sequence ended by itself"
    return {
        "batch": n,
        "tokens_per_s": n * N_NEW / whole_s,
        "tokens_per_s_without_prefill": n * (N_NEW - 20) / (whole_s - short_s),
        "step_ms": 1000 * (whole_s - short_s) / (N_NEW - 20),
        "capture_s": capture_s,
        "peak_gb": torch.cuda.max_memory_allocated(model.device) / 1e9,
    }


def sameness(model: Any) -> dict[str, float]:
    """Return how far tokens depend on batch-mates, and how long they are the processor's."""
    from bench import gpt_sovits_models as models
    from pipeline.engines.gpt_sovits.semantic.decoder import Decoder

    decoder = Decoder(model, n_slots=64)
    wanted = requests(64, N_NEW)
    _, together = timed(decoder, wanted, model.device)
    alone = [timed(decoder, [each], model.device)[1][0] for each in wanted[:N_COMPARED]]
    exact = Decoder(models.semantic("fp32"), n_slots=N_COMPARED)
    short = dict(exact.decode(requests(N_COMPARED, N_COMPARED_TOKENS)))
    agreed = [agreement(together[i].tolist(), short[i].tokens.tolist()) for i in range(N_COMPARED)]
    return {
        "same_alone": float(
            np.mean([torch.equal(alone[i], together[i]) for i in range(N_COMPARED)])
        ),
        "tokens_like_fp32": float(np.mean(agreed)),
    }


def agreement(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """Return the share of the shorter's tokens before the first that differs."""
    pairs = list(zip(ours, theirs, strict=False))
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return first / len(pairs)


def texts(n: int) -> list[str]:
    """Return sentences of two or three clauses."""
    chooser = random.Random(1)
    return ["，".join(chooser.sample(CLAUSES, chooser.choice((2, 3)))) + "。" for _ in range(n)]


def whole_engine(device: str, n_texts: int) -> dict[str, Any]:
    """Return the speed from text to 32 kHz audio."""
    from bench import gpt_sovits_models as models
    from pipeline.engines.gpt_sovits.device import place
    from pipeline.engines.gpt_sovits.synthesizer import SpeechRequest

    placement = place(device)
    with tempfile.TemporaryDirectory() as folder:
        engine = models.synthesizer(models.write(Path(folder)), placement, N_SLOTS)
        noise = np.random.default_rng(1).normal(0, 0.1, 4 * SAMPLE_RATE_HZ).astype(np.float32)
        prompt = engine.make_prompt([(noise, SAMPLE_RATE_HZ)], CLAUSES[0] + "。", "zh")
        wanted = [SpeechRequest(text, "zh", prompt, i) for i, text in enumerate(texts(n_texts))]
        list(engine.speak(wanted[:N_SLOTS]))
        torch.cuda.reset_peak_memory_stats(placement.device)
        started = time.perf_counter()
        for request in wanted:
            engine.fragments(request)
        front_end_s = time.perf_counter() - started
        started = time.perf_counter()
        waveforms = [spoken for _, spoken in engine.speak(wanted)]
        wall_s = time.perf_counter() - started
    for each in waveforms:
        if isinstance(each, Exception):
            raise each
    audio_s = sum(map(len, waveforms)) / SAMPLE_RATE_HZ
    return {
        "precision": placement.semantic,
        "texts": n_texts,
        "audio_s": audio_s,
        "wall_s": wall_s,
        "x_real_time": audio_s / wall_s,
        "front_end_s": front_end_s,
        "x_real_time_behind_front_end": audio_s / (wall_s - front_end_s),
        "peak_gb": torch.cuda.max_memory_allocated(placement.device) / 1e9,
    }


def measure(device: str, n_texts: int) -> dict[str, Any]:
    """Measure everything, printing as it goes."""
    from bench import gpt_sovits_models as models

    model = models.semantic("fp16", device)
    rows = [decoding(model, n) for n in BATCHES]
    table.show(f"GPT stage, greedy, {N_PROMPT + N_PHONEMES} positions + {N_NEW} tokens, fp16", rows)
    same = sameness(model)
    del model
    engine = whole_engine(device, n_texts)
    table.show(f"Text to audio, {N_SLOTS} side by side", [engine])
    figures = {f"tokens_per_s_{row['batch']}": row["tokens_per_s"] for row in rows}
    figures |= {**same, "x_real_time": engine["x_real_time"]}
    table.show(
        "Targets (of an H200)",
        [
            {"figure": name, "target": f"{sign} {target:g}", "reached": figures[name]}
            for name, target, sign in TARGETS
        ],
    )
    return {**figures, "decoding": rows, "engine": engine}


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--texts", type=int, default=512)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit(
            f"bench-cuda needs a CUDA GPU, and torch {torch.__version__} sees none. Nothing was "
            "measured or written. Install a torch built for CUDA, and the GPU's driver."
        )
    figures = measure(arguments.device, arguments.texts)
    gpu = {"gpu": torch.cuda.get_device_name(arguments.device), "torch": torch.__version__}
    table.save("gpt_sovits_cuda", {**gpu, **figures})


if __name__ == "__main__":
    main()

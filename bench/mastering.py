"""What stitching, mastering, encoding and measuring cost, and what every encoded file measures.

python -m bench.mastering [MINUTES]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hibari import Hibari

from bench import table
from pipeline.assembly.delivery.encode import encode
from pipeline.assembly.delivery.metadata import Metadata
from pipeline.assembly.mastering import Mastering, master
from pipeline.assembly.measure import measure
from pipeline.assembly.profiles import PROFILES, Profile, check
from pipeline.audio.clip import Clip, Samples
from pipeline.audio.energy import speech_span
from pipeline.run.stopwatch import processor_s

RATE_HZ = 24_000
TEXTS = (
    "It was a bright cold morning, and the harbour clock was striking seven.",
    "Nobody had seen the ship since Tuesday!",
    "He walked slowly down the stairs, counting each of them under his breath.",
    "Why should we go, she asked, when the whole coast is asleep?",
    "Forty-two steps, a locked door, and behind it the sea.",
)
TAGS = Metadata(title="Bench", author="Voxmill", narrator="heart", language="en")


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    spoken = _speech()
    costs, files = [], []
    for name, profile in PROFILES.items():
        with tempfile.TemporaryDirectory() as folder:
            made, cost_ms = _mastered(spoken, profile, minutes, Path(folder))
            costs.append({"profile": name, "file": "master", "made_ms": cost_ms, "measured_ms": ""})
            for cost, found in _encoded(made, profile, Path(folder)):
                costs.append({"profile": name, **cost})
                files.append({"profile": name, **found})
    table.show("Processor milliseconds for each second of audio", costs)
    table.show("Measured on the encoded files", files)
    table.save("mastering", {"minutes": minutes, "costs": costs, "files": files})


def _cost_ms(started: float, made: Mastering) -> float:
    """Return the processor milliseconds since `started` for each second of a master."""
    return round(1000 * (processor_s() - started) * made.sample_rate_hz / made.n_samples, 2)


def _speech() -> Samples:
    """Return half a minute of speech with pauses, from its first sound to its last."""
    engine, parts = Hibari(threads=1), []
    for seed, text in enumerate(TEXTS * 2):
        samples = np.asarray(engine(text, seed=seed), np.float32)
        span = speech_span(Clip(samples, RATE_HZ))
        parts += [samples[span.start : span.end], np.zeros(RATE_HZ // 2, np.float32)]
    return np.concatenate(parts[:-1])


def _stream(spoken: Samples, profile: Profile, minutes: float) -> Iterator[Samples]:
    pause = np.zeros(RATE_HZ * 7 // 10, np.float32)
    yield np.zeros(round(profile.head_s * RATE_HZ), np.float32)
    for number in range(max(1, round(60 * minutes * RATE_HZ / len(spoken)))):
        if number:
            yield pause
        yield spoken
    yield np.zeros(round(profile.tail_s * RATE_HZ), np.float32)


def _mastered(
    spoken: Samples, profile: Profile, minutes: float, folder: Path
) -> tuple[Mastering, float]:
    started = processor_s()
    made = master(
        lambda: _stream(spoken, profile, minutes), RATE_HZ, profile, folder / "master.flac"
    )
    return made, _cost_ms(started, made)


def _encoded(
    made: Mastering, profile: Profile, folder: Path
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for name in ("m4b", "mp3", "opus", "flac", "wav"):
        out = folder / f"bench.{name}"
        bitrate_kbps = profile.bitrates_kbps.get(name)
        started = processor_s()
        encode(made.path, name, out, metadata=TAGS, bitrate_kbps=bitrate_kbps)
        made_ms, started = _cost_ms(started, made), processor_s()
        found = measure(out)
        measured_ms = _cost_ms(started, made)
        cost = {"file": name, "made_ms": made_ms, "measured_ms": measured_ms}
        yield (
            cost,
            {
                "format": name,
                "kbps": bitrate_kbps or "",
                "LUFS": round(found.integrated_lufs, 2),
                "dBTP": round(found.true_peak_db, 2),
                "peak_dB": round(found.sample_peak_db, 2),
                "RMS_dB": round(found.rms_db, 2),
                "floor_dB": round(found.noise_floor_db, 1),
                "head_s": round(found.head_s, 2),
                "tail_s": round(found.tail_s, 2),
                "problems": "; ".join(check(found, profile, name)) or "none",
            },
        )


if __name__ == "__main__":
    main()

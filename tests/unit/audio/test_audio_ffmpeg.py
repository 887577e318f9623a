"""Audio streamed through a real ffmpeg."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio import ffmpeg
from pipeline.audio.probe import decoded, probe
from pipeline.errors import InputError, PermanentError, StorageError

COPY = ("-f", "f32le", "-ar", "8000", "-ac", "1")


def feeders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ffmpeg-feeder"]


def test_what_goes_in_comes_out_in_blocks_of_the_size_asked_for() -> None:
    samples = np.linspace(-1, 1, 10_000, dtype=np.float32)
    data = (samples[start : start + 777].tobytes() for start in range(0, 10_000, 777))
    arguments = [*COPY, "-i", "pipe:0", *COPY, "pipe:1"]
    blocks = list(ffmpeg.stream(arguments, data=data, block_bytes=16_384))
    assert [len(block) for block in blocks] == [16_384, 16_384, 7232]
    assert np.array_equal(np.frombuffer(b"".join(blocks), np.float32), samples)


def test_an_error_of_the_source_is_raised_to_the_reader() -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(40_000)
        raise StorageError("the disk went away")

    arguments = [*COPY, "-i", "pipe:0", *COPY, "pipe:1"]
    with pytest.raises(StorageError, match="went away"):
        list(ffmpeg.stream(arguments, data=broken(), block_bytes=4096))


def test_a_failure_of_ffmpeg_ends_with_its_own_words() -> None:
    arguments = [*COPY, "-i", "pipe:0", "-af", "nosuchfilter", *COPY, "pipe:1"]
    with pytest.raises(PermanentError, match="nosuchfilter"):
        list(ffmpeg.stream(arguments, data=iter([bytes(4_000_000)]), block_bytes=4096))


def test_a_reader_that_stops_early_leaves_no_feeder_behind() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(65_536)

    stream = ffmpeg.stream(
        [*COPY, "-i", "pipe:0", *COPY, "pipe:1"], data=endless(), block_bytes=4096
    )
    next(stream)
    assert feeders()
    stream.close()
    assert not feeders()


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 24_000), (2, 44_100)])
def test_a_file_is_decoded_at_its_own_rate_and_channels(
    tmp_path: Path, channels: int, rate_hz: int
) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (70_000, channels))
    path = tmp_path / "a file, with spaces.wav"
    soundfile.write(path, samples, rate_hz, subtype="PCM_24")
    stream = probe(path)
    assert (stream.codec, stream.channels) == ("pcm_s24le", channels)
    assert stream.sample_rate_hz == rate_hz
    read = np.concatenate(list(decoded(path, stream)))
    assert read.shape == samples.shape
    assert np.abs(read - samples).max() < 1e-6


def test_a_file_without_audio_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "letter.mp3"
    path.write_text("not audio at all")
    with pytest.raises(InputError, match=r"letter\.mp3"):
        probe(path)

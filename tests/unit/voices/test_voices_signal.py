"""What is measured of a recording, on sounds whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.clip import Clip, Samples
from pipeline.errors import InputError
from pipeline.voices import activity, cleaning, clipping, music, recording, spans

RATE = 16_000


def syllables(seconds: float, pause_every_s: float = 2.0, seed: int = 0) -> Samples:
    """Return something like speech: a gliding buzz that swells four times a second, and pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = (
        120 + 30 * np.sin(2 * np.pi * 0.7 * t) + 10 * np.sin(2 * np.pi * 2.3 * t + rng.uniform())
    )
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    swell = 0.15 + np.square(np.sin(np.pi * 2 * t))
    speaks = (t % pause_every_s) > 0.4
    return np.asarray(0.1 * buzz * swell * speaks, np.float32)


def with_noise(samples: Samples, snr_db: float) -> Samples:
    """Add white noise that far below the mean power of the sounding parts."""
    power = np.mean(np.square(samples[np.abs(samples) > 0]))
    noise = np.random.default_rng(1).normal(0, 1, len(samples))
    return np.asarray(samples + noise * np.sqrt(power * 10 ** (-snr_db / 10)), np.float32)


def test_runs_of_speech_are_parted_by_pauses() -> None:
    heard = activity.listen(Clip(syllables(10), RATE))
    assert len(heard.runs) == 5
    for number, run in enumerate(heard.runs):
        assert run.start / RATE == pytest.approx(2 * number + 0.4, abs=0.05)
        assert run.end / RATE == pytest.approx(2 * number + 2.0, abs=0.05)
    assert heard.speech_s == pytest.approx(8.0, abs=0.3)


@pytest.mark.parametrize("snr_db", [40, 30, 20, 15, 10])
def test_the_noise_under_speech_is_measured_within_two_decibels(snr_db: float) -> None:
    heard = activity.listen(Clip(with_noise(syllables(20), snr_db), RATE))
    assert heard.snr_db == pytest.approx(snr_db, abs=2.0)
    assert len(heard.runs) >= 9


def test_noise_alone_has_no_speech_above_it() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * RATE).astype(np.float32)
    assert activity.listen(Clip(noise, RATE)).snr_db < 6


def test_silence_is_silent() -> None:
    heard = activity.listen(Clip(np.zeros(3 * RATE, np.float32), RATE))
    assert heard.loud_db < -100
    assert heard.runs == ()
    assert heard.speech_s == 0


def tones(*notes_hz: float, seconds: float = 0.5) -> Samples:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * hz * t) for hz in notes_hz), np.float32)


@pytest.mark.parametrize(
    "notes", [[(440,)], [(262,), (330,), (392,)], [(262, 330, 392), (349, 440, 523)]]
)
def test_notes_and_chords_are_music(notes: list[tuple[float, ...]]) -> None:
    assert music.steadiness(np.concatenate([tones(*each) for each in notes] * 4)) > 0.5


def test_a_gliding_voice_and_noise_are_not() -> None:
    assert music.steadiness(syllables(10)) < 0.02
    assert (
        music.steadiness(np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)) < 0.02
    )
    assert music.steadiness(np.zeros(RATE, np.float32)) == 0


def test_natural_peaks_are_not_clipped() -> None:
    voice = syllables(5)
    assert len(clipping.clipped(voice / np.abs(voice).max())) == 0
    assert len(clipping.clipped(np.zeros(100, np.float32))) == 0


@pytest.mark.parametrize("level", [1.0, 0.3])
def test_flat_tops_are_found_at_any_level(level: float) -> None:
    voice = syllables(5)
    cut = level * np.clip(4 * voice / np.abs(voice).max(), -1, 1)
    found = clipping.clipped(cut)
    assert len(found) > 50
    assert np.all(np.abs(cut[found]) >= 0.999 * level)
    assert spans.is_clipped(found, 0, len(cut), RATE)
    assert not spans.is_clipped(found, len(cut), 2 * len(cut), RATE)


def test_overshoots_of_a_lossy_decoder_are_found() -> None:
    voice = syllables(5)
    assert len(clipping.clipped(1.5 * voice / np.abs(voice).max())) > 0


def test_rumble_and_offset_go_and_the_voice_stays() -> None:
    t = np.arange(RATE * 2) / RATE
    voice = 0.2 * np.sin(2 * np.pi * 150 * t)
    rumble = 0.3 * np.sin(2 * np.pi * 12 * t) + 0.2
    clean = recording.without_rumble((voice + rumble).astype(np.float32), RATE)
    assert len(clean) == len(voice)
    inner = slice(RATE // 2, -RATE // 2)
    assert np.abs(clean - voice)[inner].max() < 0.02


def write(path: Path, samples: Samples, rate_hz: int = RATE) -> Path:
    soundfile.write(path, samples, rate_hz)
    return path


def test_two_channels_that_cancel_each_other_are_still_heard(tmp_path: Path) -> None:
    voice = syllables(4)
    for left, right in ((voice, -voice), (voice, 0 * voice), (voice, voice)):
        path = write(tmp_path / "two.wav", np.stack([left, right], axis=1))
        read = recording.read(path).clip
        assert read.sample_rate_hz == 32_000
        assert np.std(read.samples) == pytest.approx(np.std(voice), rel=0.05)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
def test_a_recording_of_any_rate_keeps_its_length(tmp_path: Path, rate_hz: int) -> None:
    path = write(tmp_path / "a.wav", syllables(2), rate_hz)
    read = recording.read(path).clip
    assert read.duration_s == pytest.approx(2 * RATE / rate_hz, abs=0.001)


def test_a_telephone_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8000 Hz"):
        recording.read(write(tmp_path / "phone.wav", syllables(4), 8000))


def test_a_recording_of_hours_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = write(tmp_path / "book.flac", np.tile(syllables(10), 32))
    with pytest.raises(InputError, match="longer than 5 minutes"):
        recording.read(path)


@pytest.mark.parametrize("data", [b"", b"a letter, not audio", b"RIFF\x00\x00\x00\x00WAVEfmt "])
def test_what_is_no_audio_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "letter.mp3"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"letter\.mp3.*(wav, mp3|plays)"):
        recording.read(path)


def test_a_missing_recording_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            recording.read(path)


def test_a_cut_clip_is_even_in_level_and_silent_at_its_ends() -> None:
    for gain in (0.05, 1.0, 5.0):
        voice = Clip(gain * syllables(6), RATE)
        clip = cleaning.cut(voice, int(0.4 * RATE), int(4.0 * RATE))
        assert clip.duration_s == pytest.approx(3.8, abs=0.01)
        assert activity.level_db(clip) == pytest.approx(-23, abs=0.5)
        assert np.abs(clip.samples).max() <= 0.89
        assert clip.samples[0] == clip.samples[-1] == 0


def test_a_high_peak_holds_the_level_down() -> None:
    voice = syllables(6)
    voice[RATE] = 8.0
    clip = cleaning.cut(Clip(voice, RATE), 0, len(voice))
    assert np.abs(clip.samples).max() <= 0.891

"""`voxmill voices add` with the real Whisper, the real ffmpeg, and a minute of real speech."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import VOXMILL, Ran
from hibari import SAMPLE_RATE, Hibari

from pipeline.audio import ffmpeg
from pipeline.audio.clip import Clip, Samples, encode_flac
from pipeline.checking.transcript import differences
from pipeline.errors import InputError
from pipeline.models.whisper import Whisper
from pipeline.store.local import LocalStore
from pipeline.voices import activity, archive, consent, reference, registry

Voxmill = Callable[..., Ran]

CONSENT = "Ann Lee, agreed to audiobooks in her voice"
SENTENCES = (
    "The ferry left an hour late, and nobody on the quay seemed surprised.",
    "She folded the map twice, put it in her coat, and forgot about it.",
    "A thin rain had begun to fall on the roofs of the lower town.",
    "When the bell stopped, the whole valley went quiet.",
    "He had never liked the sea, but he liked the people who lived beside it.",
    "Seven green apples lay in the bowl; the eighth had rolled under the stove.",
    "Nobody answers the telephone in that house after dark.",
    "The old clock in the hall runs fast, so we are always early.",
    "Bring the lamp closer, please, and mind the broken step.",
    "It was neither the first winter nor the worst, only the longest.",
    "Behind the curtain stood a piano that no one had tuned for years.",
    "My brother paints boats, and my sister sails them.",
)
TEXT = " ".join(SENTENCES)
RATE = SAMPLE_RATE


@pytest.fixture(scope="module")
def takes() -> list[Samples]:
    """Every sentence, spoken."""
    model = Hibari(threads=1)
    return [np.asarray(model(sentence), np.float32) for sentence in SENTENCES]


def read_aloud(takes: list[Samples], pause_s: float = 0.35) -> Samples:
    """Return sentences with quiet pauses between them, as a reader in a good room."""
    rng = np.random.default_rng(0)
    pauses = (rng.normal(0, 1e-4, int(pause_s * RATE)).astype(np.float32) for _ in takes)
    return np.concatenate([part for pair in zip(takes, pauses, strict=True) for part in pair])


@pytest.fixture(scope="module")
def minute(takes: list[Samples]) -> Samples:
    return read_aloud(takes)


@pytest.fixture(scope="module")
def whisper(whisper_dir: Path) -> Whisper:
    return Whisper(whisper_dir)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"VOXMILL_VOICES_DIR": str(tmp_path / "voices")}


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "voices")


def write(path: Path, samples: Samples, rate_hz: int = RATE) -> Path:
    soundfile.write(path, samples, rate_hz)
    return path


def add_command(audio: Path, *arguments: object, name: str = "Ann") -> tuple[str, ...]:
    options = ("--audio", audio, "--language", "en", "--consent", CONSENT, *arguments)
    return ("voices", "add", name, *map(str, options))


# --- The command ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a", "flac", "ogg"])
def test_a_minute_in_any_format_becomes_a_voice(
    suffix: str,
    minute: Samples,
    tmp_path: Path,
    voxmill: Voxmill,
    home: Mapping[str, str],
    store: LocalStore,
    whisper: Whisper,
) -> None:
    source = write(tmp_path / "source.wav", minute)
    audio = tmp_path / f"a minute, of speech.{suffix}"
    ffmpeg.run(["-i", source, audio])
    ran = voxmill(*add_command(audio, "--text", TEXT, "--json"), env=home)
    assert ran.code == 0, ran.stderr
    voice = registry.find("ann", store)
    assert json.loads(ran.stdout)["uuid"] == str(voice.uuid)
    clip = registry.clip(voice, store)
    assert clip.sample_rate_hz == 32_000
    assert 3.0 <= clip.duration_s <= 10.2
    assert clip.duration_s == pytest.approx(voice.origin.end_s - voice.origin.start_s, abs=0.21)
    assert activity.level_db(clip) == pytest.approx(-23, abs=1)
    # Whole sentences of the text, and they are what is heard.
    assert voice.text in TEXT
    assert voice.text.endswith(".")
    assert voice.text[0].isupper()
    heard = whisper.transcribe(clip, "en")
    assert not [each for each in differences(voice.text, heard, "en") if each.distance > 0.4]
    assert voice.consent.owner == "Ann Lee"


def test_without_a_text_whisper_writes_it_down(
    minute: Samples, tmp_path: Path, voxmill: Voxmill, home: Mapping[str, str], store: LocalStore
) -> None:
    audio = write(tmp_path / "a.flac", minute)
    ran = voxmill(*add_command(audio, "--aux", audio, name="李明"), env=home)
    assert ran.code == 0, ran.stderr
    voice = registry.find("李明", store)
    assert voice.text in ran.stdout
    assert not [d for d in differences(voice.text, TEXT, "en") if d.kind == "substituted"]
    (aux,) = registry.aux_clips(voice, store)
    assert 3.0 <= aux.duration_s <= 10.2


@pytest.mark.parametrize("after_s", [0.5, 2.0, 4.0, 6.0])
def test_a_killed_add_leaves_no_half_voice(
    after_s: float,
    minute: Samples,
    tmp_path: Path,
    environment: dict[str, str],
    home: dict[str, str],
    store: LocalStore,
) -> None:
    audio = write(tmp_path / "a.wav", minute)
    process = subprocess.Popen(
        [*VOXMILL, *add_command(audio, "--text", TEXT)],
        env={**environment, **home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for voice in registry.all_voices(store):
        registry.audio_bytes(voice, store)  # there is all of it


#: Kills the process when it is about to write the object whose name ends so.
KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.store.local import LocalStore
from pipeline.voices import archive
write = LocalStore._written
def killed(self, name, data):
    if name.endswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, name, data)
LocalStore._written = killed
archive.import_voice(Path(sys.argv[1]), LocalStore(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("last", ["clip.flac", "aux-1.flac", "voice.json"])
def test_a_voice_killed_between_its_files_is_none_and_is_swept_away(
    last: str, minute: Samples, tmp_path: Path, store: LocalStore, whisper: Whisper
) -> None:
    audio = write(tmp_path / "a.wav", minute[: 9 * RATE])
    voice = registry.add(
        "Ann",
        audio,
        language="en",
        consent=consent.given(CONSENT),
        store=store,
        whisper=whisper,
        aux=[audio],
    )
    archive.export(voice, tmp_path / "ann.zip", store)
    other = LocalStore(tmp_path / "other")
    command = [sys.executable, "-c", KILLED, tmp_path / "ann.zip", other.root, last]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert registry.all_voices(other) == []
    assert archive.import_voice(tmp_path / "ann.zip", other) == voice
    registry.remove("Ann", other)
    assert not list((other.root / "voices").iterdir())


# --- What is chosen -------------------------------------------------------------------------


def prepared(
    tmp_path: Path, samples: Samples, whisper: Whisper, text: str | None = TEXT
) -> reference.Reference:
    return reference.prepare(write(tmp_path / "a.wav", samples), text, "en", whisper)


def test_the_same_recording_gives_the_same_bytes(
    minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    one, two = (prepared(tmp_path, minute, whisper) for _ in range(2))
    assert encode_flac(one.clip) == encode_flac(two.clip)
    assert one.text == two.text


def test_a_short_recording_is_used_whole(
    takes: list[Samples], tmp_path: Path, whisper: Whisper
) -> None:
    samples = read_aloud(takes[:2])
    silence = np.zeros(RATE, np.float32)
    text = " ".join(SENTENCES[:2])
    chosen = prepared(tmp_path, np.concatenate([silence, samples, silence]), whisper, text)
    assert chosen.text == text
    assert chosen.origin.start_s > 1.0
    assert chosen.clip.duration_s < len(samples) / RATE


def test_a_clip_without_a_pause_is_not_taken_for_noisy(takes: list[Samples]) -> None:
    for take in takes:
        runs = activity.listen(Clip(take, RATE)).runs
        tight = Clip(take[runs[0].start : runs[-1].end], RATE)
        assert activity.listen(tight).snr_db > reference.MIN_SNR_DB + 3


def test_a_clipped_part_is_avoided(minute: Samples, tmp_path: Path, whisper: Whisper) -> None:
    spoilt = minute.copy()
    half = len(spoilt) // 2
    spoilt[:half] = np.clip(8 * spoilt[:half], -0.7, 0.7)
    chosen = prepared(tmp_path, spoilt, whisper)
    assert chosen.origin.start_s > half / RATE - 0.5


def test_a_word_that_whisper_writes_otherwise_does_not_matter(
    minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    text = TEXT.replace("Seven", "7").replace("quay", "key").replace("telephone", "telly phone")
    assert prepared(tmp_path, minute, whisper, text).text


# --- Refusals -------------------------------------------------------------------------------


def shifted(samples: Samples, factor: float) -> Samples:
    """Return another speaker: a smaller or larger head, a higher or lower pitch."""
    return Clip(samples, RATE).resampled(round(RATE / factor)).samples


def chords(seconds: float) -> Samples:
    t = np.arange(int(0.6 * RATE)) / RATE
    triads = [(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)]
    played = [
        sum(np.sin(2 * np.pi * hz * k * t) / k for hz in triad for k in range(1, 6))
        * np.exp(-2 * t)
        for triad in triads
    ]
    bars = int(seconds / 2.4) + 1
    return np.asarray(0.1 * np.concatenate(played * bars), np.float32)


def refused(tmp_path: Path, samples: Samples, whisper: Whisper, text: str | None = TEXT) -> str:
    with pytest.raises(InputError, match=r"a\.wav") as refusal:
        prepared(tmp_path, samples, whisper, text)
    assert refusal.value.remedy
    return refusal.value.problem


def test_silence_is_refused(tmp_path: Path, whisper: Whisper) -> None:
    assert "nothing is heard" in refused(tmp_path, np.zeros(20 * RATE, np.float32), whisper)


def test_too_short_speech_is_refused(
    takes: list[Samples], tmp_path: Path, whisper: Whisper
) -> None:
    samples = np.concatenate([np.zeros(3 * RATE, np.float32), takes[3][: 2 * RATE]])
    assert "too short" in refused(tmp_path, samples, whisper)


@pytest.mark.parametrize("snr_db", [0, 10, 14])
def test_noise_is_refused(snr_db: float, minute: Samples, tmp_path: Path, whisper: Whisper) -> None:
    noise = np.random.default_rng(0).normal(0, 1, len(minute)).astype(np.float32)
    noisy = minute + noise * np.std(minute) * 10 ** (-snr_db / 20)
    assert "noisy" in refused(tmp_path, noisy, whisper)


def test_speech_that_is_clipped_throughout_is_refused(
    minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    clipped = np.clip(8 * minute / np.abs(minute).max(), -1, 1)
    assert "clipped" in refused(tmp_path, 0.7 * clipped, whisper)


def test_music_is_refused(tmp_path: Path, whisper: Whisper) -> None:
    assert "music" in refused(tmp_path, chords(20), whisper)


def test_speech_over_music_is_refused(minute: Samples, tmp_path: Path, whisper: Whisper) -> None:
    music = chords(len(minute) / RATE)[: len(minute)]
    for level_db in (0, -10):
        mixed = minute + music * np.std(minute) / np.std(music) * 10 ** (level_db / 20)
        problem = refused(tmp_path, mixed, whisper)
        assert "music" in problem or "noisy" in problem


@pytest.mark.parametrize("factor", [0.75, 1.3])
def test_two_speakers_are_refused(
    factor: float, takes: list[Samples], tmp_path: Path, whisper: Whisper
) -> None:
    apart = read_aloud([*takes[:6], *(shifted(take, factor) for take in takes[6:])])
    assert "two speakers" in refused(tmp_path, apart, whisper)
    talk = [shifted(take, factor) if number % 2 else take for number, take in enumerate(takes)]
    assert "two speakers" in refused(tmp_path, read_aloud(talk), whisper)


@pytest.mark.parametrize("factor", [0.75, 1.0, 1.3])
def test_one_speaker_is_not_taken_for_two(
    factor: float, takes: list[Samples], tmp_path: Path, whisper: Whisper
) -> None:
    alone = read_aloud([shifted(take, factor) for take in takes[:8]])
    assert prepared(tmp_path, alone, whisper, None).text


def test_another_text_is_refused_with_what_was_heard(
    minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    other = "Every spring the river takes a little more of the garden. " * 6
    assert "She folded the map twice" in refused(tmp_path, minute, whisper, other)


def test_a_text_of_another_length_is_refused(
    minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    problem = refused(tmp_path, minute, whisper, " ".join(SENTENCES[:6]))
    assert "nobody answers the telephone" in problem
    assert "heard" in refused(tmp_path, minute[: 20 * RATE], whisper).casefold()


def test_another_language_is_refused(minute: Samples, tmp_path: Path, whisper: Whisper) -> None:
    path = write(tmp_path / "a.wav", minute)
    with pytest.raises(InputError, match="sounds like English, not Chinese"):
        reference.prepare(path, None, "zh", whisper)
    with pytest.raises(InputError, match="not what is said"):
        reference.prepare(path, "灯在九点一刻亮了起来。那天晚上没有人来敲门。", "zh", whisper)


def test_cantonese_needs_a_short_recording_with_its_text(
    takes: list[Samples], minute: Samples, tmp_path: Path, whisper: Whisper
) -> None:
    text = "九點三個字盞燈就着咗。"
    short = write(tmp_path / "short.wav", read_aloud(takes[:2]))
    assert reference.prepare(short, text, "yue", whisper).origin.heard is None
    with pytest.raises(InputError, match="Cantonese"):
        reference.prepare(short, None, "yue", whisper)
    with pytest.raises(InputError, match="3 to 10 s"):
        reference.prepare(write(tmp_path / "a.wav", minute), text, "yue", whisper)


def test_speech_without_a_pause_is_refused(
    takes: list[Samples], tmp_path: Path, whisper: Whisper
) -> None:
    spoken = [activity.listen(Clip(take, RATE)).runs for take in takes[:5]]
    rushed = [
        take[run.start + RATE // 10 : run.end - RATE // 10]
        for take, runs in zip(takes, spoken, strict=False)
        for run in runs
    ]
    problem = refused(tmp_path, np.concatenate(rushed), whisper, None)
    assert "between two pauses" in problem


def test_the_command_names_the_refusal_and_writes_nothing(
    tmp_path: Path, voxmill: Voxmill, home: Mapping[str, str]
) -> None:
    audio = write(tmp_path / "a.wav", chords(20))
    ran = voxmill(*add_command(audio), env=home)
    assert ran.code == 2
    assert "a.wav" in ran.stderr
    assert "music" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.rglob("*.flac"))

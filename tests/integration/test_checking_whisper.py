"""Whisper on real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hibari import SAMPLE_RATE, Hibari

from pipeline.audio.clip import Clip
from pipeline.errors import ModelError, RequestError
from pipeline.models import mel
from pipeline.models.whisper import Whisper

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Rain fell all night, and by morning the bridge was gone.",
    "Three blind mice ran across the kitchen floor.",
)


@pytest.fixture(scope="module")
def whisper(whisper_dir: Path) -> Whisper:
    return Whisper(whisper_dir)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    voice = Hibari(threads=1)
    return [Clip(voice(text, seed=1), SAMPLE_RATE) for text in SENTENCES]


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ")


def test_it_hears_what_was_said(whisper: Whisper, clips: list[Clip]) -> None:
    assert [plain(whisper.transcribe(clip, "en")) for clip in clips] == list(map(plain, SENTENCES))


def test_packed_clips_are_told_apart(whisper: Whisper, clips: list[Clip]) -> None:
    heard = whisper.transcribe_packed([*clips, *clips], "en")
    assert list(map(plain, heard)) == list(map(plain, (*SENTENCES, *SENTENCES)))


def test_words_are_found_in_order_and_make_up_the_text(whisper: Whisper, clips: list[Clip]) -> None:
    words = whisper.align(clips[0], SENTENCES[0], "en")
    assert "".join(word.text for word in words) == SENTENCES[0]
    assert [word.text.strip() for word in words] == SENTENCES[0].split()
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] <= clips[0].duration_s
    assert min(word.probability for word in words) > 0.1


def test_a_word_that_is_not_spoken_is_improbable(whisper: Whisper, clips: list[Clip]) -> None:
    words = whisper.align(clips[0], SENTENCES[0].replace("lazy", "copper"), "en")
    assert min(words, key=lambda word: word.probability).text == " copper"


@pytest.mark.parametrize("text", ["我们在2019年，吃了一个苹果。", "Hello 世界🤣，再见", "……"])
def test_text_without_spaces_is_split_and_nothing_is_lost(
    whisper: Whisper, clips: list[Clip], text: str
) -> None:
    words = whisper.align(clips[0], text, "zh")
    assert "".join(word.text for word in words) == text


def test_an_empty_text_has_no_words(whisper: Whisper, clips: list[Clip]) -> None:
    assert whisper.align(clips[0], " ", "en") == []


def test_a_long_file_is_heard_in_stretches(
    whisper: Whisper, clips: list[Clip], tmp_path: Path
) -> None:
    pause = np.zeros(SAMPLE_RATE // 2, np.float32)
    samples = np.concatenate([part for clip in clips * 4 for part in (clip.samples, pause)])
    soundfile.write(tmp_path / "long.flac", samples, SAMPLE_RATE)
    heard = plain(whisper.transcribe_file(tmp_path / "long.flac", "en"))
    assert heard == plain(" ".join(SENTENCES * 4))
    resampled = Clip(samples, SAMPLE_RATE).resampled(mel.SAMPLE_RATE_HZ).samples
    stretches = list(whisper.transcribe_blocks(np.array_split(resampled, 50), "en"))
    assert len(stretches) > 1
    assert stretches[-1].end_s == pytest.approx(len(resampled) / mel.SAMPLE_RATE_HZ)


def test_it_knows_the_language(whisper: Whisper, clips: list[Clip]) -> None:
    assert whisper.detect_language(clips[1]) == "en"


def test_an_unknown_language_is_refused(whisper: Whisper, clips: list[Clip]) -> None:
    with pytest.raises(RequestError, match="tlh"):
        whisper.transcribe(clips[0], "tlh")


def test_a_folder_without_a_model_is_named(tmp_path: Path, clips: list[Clip]) -> None:
    with pytest.raises(ModelError, match=tmp_path.name):
        Whisper(tmp_path).transcribe(clips[0], "en")
    with pytest.raises(ModelError, match=tmp_path.name):
        _ = Whisper(tmp_path).fingerprint

"""The engine of cloned voices as the pipeline sees it, on small random networks."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import golden
import models as golden_models
import numpy as np
import pytest
import torch
from asking import ask

from pipeline import names
from pipeline.audio.clip import Clip, encode_flac
from pipeline.engines.cloning import CloningEngine
from pipeline.engines.cloning_models import MAX_FINE_TUNES, READERS
from pipeline.engines.gpt_sovits.semantic.model import Prefix
from pipeline.engines.gpt_sovits.semantic.sampling import Limits
from pipeline.engines.gpt_sovits.semantic.stepping import Eager
from pipeline.engines.gpt_sovits.sovits.model import SoVITS
from pipeline.engines.protocol import Utterance
from pipeline.errors import EngineError, ModelError, RequestError
from pipeline.manifest.plan import Reading
from pipeline.manifest.voice import Origin, Voice
from pipeline.run.speaking import speak
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.voices import consent, registry

CASE = golden.document(Path(golden.__file__).parent / "golden" / "e2e" / "e2e_v2.json")
#: Raises, when so many rows are too many.
Shortage = Callable[[int], None]
TEXT = "今天天气很好，我们去公园散步吧。"


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> golden_models.Paths:
    """The files of a v2, laid out as upstream's."""
    return golden_models.build_models(CASE, tmp_path_factory.mktemp("tiny") / "pretrained_models")


@pytest.fixture
def settings(pretrained: golden_models.Paths, tmp_path: Path) -> Settings:
    return Settings(
        gpt_sovits_dir=pretrained.bert.parent,
        models_dir=tmp_path / "models",
        voices_dir=tmp_path / "voices",
        device="cpu",
        precision="fp32",
        offline=True,
        jobs=2,
    )


@pytest.fixture
def store(settings: Settings) -> LocalStore:
    return registry.open_store(settings)


@pytest.fixture
def add(store: LocalStore) -> Callable[..., Voice]:
    """Keep a voice of that name."""

    def add(name: str = "安", pitch_hz: float = 180.0, **more: Any) -> Voice:
        t = np.arange(4 * 32_000) / 32_000
        tone = sum(np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 8))
        data = encode_flac(Clip((0.1 * tone * (1.2 + np.sin(5 * t))).astype(np.float32), 32_000))
        voice = Voice(
            uuid=uuid4(),
            name=name,
            language="zh",
            text="今天天气很好。",
            consent=consent.given("Ann Lee, agreed to audiobooks in her voice"),
            created=date(2026, 1, 2),
            clip_sha256=hashlib.sha256(data).hexdigest(),
            origin=Origin(start_s=0, end_s=4, snr_db=40.0, quality=None, heard=None),
            **more,
        )
        return registry.save(voice, data, (), store)

    return add


def say(text: str = TEXT, voice: str = "安", **more: Any) -> Utterance:
    return Utterance(**({"text": text, "language": "zh", "voice": voice, "seed": 3} | more))


def heard(spoken: Clip | EngineError) -> bytes | str:
    """Return what came of an utterance, to compare; random models do not always come to an end."""
    return spoken.samples.tobytes() if isinstance(spoken, Clip) else str(spoken)


def prompts(store: LocalStore) -> list[str]:
    return [name for name in store.names(names.VOICES) if "/prompts/" in name]


# --- Voices ---------------------------------------------------------------------------------


def test_the_only_voice_is_the_default(settings: Settings, add: Callable[..., Voice]) -> None:
    engine = CloningEngine(settings)
    assert engine.default_voice == ""
    add("安")
    assert engine.default_voice == "安"
    add("白", 220)
    assert engine.default_voice == ""
    assert [(voice.name, voice.language) for voice in engine.voices()] == [
        ("安", "zh"),
        ("白", "zh"),
    ]


def test_a_voice_that_is_missing_is_told_with_those_there_are(
    settings: Settings, add: Callable[..., Voice]
) -> None:
    engine = CloningEngine(settings)
    with pytest.raises(RequestError, match=r"voxmill voices add.*none yet"):
        engine.voice_revision("")
    add("安")
    with pytest.raises(RequestError, match=r"--voice.*安"):
        engine.voice_revision("")
    with pytest.raises(RequestError, match=r"No cloned voice 'Bob'.*安"):
        engine.voice_revision("Bob")


def test_where_a_voice_comes_from_names_its_uuid_and_consent(
    settings: Settings, add: Callable[..., Voice]
) -> None:
    voice = add("安")
    origin = CloningEngine(settings).origin("安")
    assert str(voice.uuid) in origin
    assert str(voice.consent.id) in origin


def test_a_voice_removed_meanwhile_is_not_spoken_with(
    settings: Settings, add: Callable[..., Voice], store: LocalStore
) -> None:
    add("安")
    engine = CloningEngine(settings)
    assert isinstance(ask(engine, say())[0], Clip)
    registry.remove("安", store)
    with pytest.raises(RequestError, match="No cloned voice"):
        ask(engine, say())
    assert not prompts(store)


# --- Speaking -------------------------------------------------------------------------------


def test_utterances_keep_their_order_and_fail_alone(
    settings: Settings, add: Callable[..., Voice]
) -> None:
    add("安")
    add("白", 260)
    engine = CloningEngine(settings)
    batch = [say(), say("……"), say(voice="白"), say("Hello world.", language="en"), say()]
    spoken = ask(engine, *batch)
    assert [isinstance(each, EngineError) for each in spoken] == [False, True, False, False, False]
    alone = [ask(engine, each)[0] for each in batch]
    for together, single in zip(spoken, alone, strict=True):
        if isinstance(together, Clip):
            assert isinstance(single, Clip)
            assert together.sample_rate_hz == 32_000
            assert np.array_equal(together.samples, single.samples)
    assert not np.array_equal(spoken[0].samples, spoken[2].samples)
    assert ask(engine) == []


def test_a_reading_changes_what_is_said_and_only_of_its_chunk(
    settings: Settings, add: Callable[..., Voice]
) -> None:
    add("安")
    engine = CloningEngine(settings)
    reading = Reading(start=2, end=4, phonemes="chong2 qing4")
    other = Reading(start=2, end=4, phonemes="zhong4 qing4")
    plain, read, misread, again = ask(
        engine,
        say("住在重庆。"),
        say("住在重庆。", readings=(reading,)),
        say("住在重庆。", readings=(other,)),
        say("住在重庆。"),
    )
    assert np.array_equal(plain.samples, again.samples)
    assert not np.array_equal(read.samples, misread.samples)


def test_a_prompt_is_made_once_and_found_by_other_processes(
    settings: Settings, add: Callable[..., Voice], store: LocalStore
) -> None:
    add("安")
    first, second = CloningEngine(settings), CloningEngine(settings)
    (spoken,) = ask(first, say())
    (kept,) = prompts(store)
    written = store.path(kept).stat().st_mtime_ns
    (again,) = ask(second, say())
    assert np.array_equal(spoken.samples, again.samples)
    # HuBERT hears reference audio; who finds the prompt needs no such model.
    assert "hubert" in first._models._encoders.__dict__
    assert "hubert" not in second._models._encoders.__dict__
    assert prompts(store) == [kept]
    assert store.path(kept).stat().st_mtime_ns == written


def test_a_damaged_prompt_is_made_again(
    settings: Settings, add: Callable[..., Voice], store: LocalStore
) -> None:
    add("安")
    (spoken,) = ask(CloningEngine(settings), say())
    (kept,) = prompts(store)
    whole = store.path(kept).read_bytes()
    store.path(kept).write_bytes(whole[:-9])
    (again,) = ask(CloningEngine(settings), say())
    assert np.array_equal(spoken.samples, again.samples)
    assert store.path(kept).read_bytes() == whole


# --- Models ---------------------------------------------------------------------------------


def another_s1(folder: Path, seed: int) -> Path:
    return golden_models.build_s1(CASE["s1"] | {"seed": seed}, folder / f"{seed}.ckpt")


def test_other_models_parameters_and_precisions_have_other_fingerprints(
    settings: Settings, add: Callable[..., Voice], tmp_path: Path, pretrained: golden_models.Paths
) -> None:
    copy = shutil.copy(pretrained.s1, tmp_path / "copy.ckpt")
    other = another_s1(tmp_path, 99)
    engines = [
        CloningEngine(settings),
        CloningEngine(settings, {"top_k": "5"}),
        CloningEngine(settings, {"s1": str(other)}),
        CloningEngine(settings.model_copy(update={"precision": "int8"})),
    ]
    found = [engine.fingerprint() for engine in engines]
    assert len(set(found)) == len(found)
    # It is the content of a file that counts.
    assert CloningEngine(settings, {"s1": str(copy)}).fingerprint() == found[0]


def test_prompts_of_other_models_are_never_used(
    settings: Settings, add: Callable[..., Voice], tmp_path: Path, store: LocalStore
) -> None:
    add("安")
    ask(CloningEngine(settings), say())
    (first,) = prompts(store)
    other = CloningEngine(settings, {"s1": str(another_s1(tmp_path, 99))})
    ask(other, say())
    assert "hubert" in other._models._encoders.__dict__
    assert len(prompts(store)) == 2
    assert first in prompts(store)


def test_a_voice_speaks_with_its_own_fine_tune(
    settings: Settings, add: Callable[..., Voice], tmp_path: Path
) -> None:
    add("安")
    add("白", s1=str(another_s1(tmp_path, 99)))
    engine = CloningEngine(settings)
    plain, own = map(heard, ask(engine, say(), say(voice="白")))
    assert plain != own
    assert engine.voice_revision("安") != engine.voice_revision("白")


@pytest.mark.slow
def test_few_fine_tunes_stay_in_memory_and_coming_back_changes_nothing(
    settings: Settings, add: Callable[..., Voice], tmp_path: Path
) -> None:
    voices = [str(n) + "号" for n in range(MAX_FINE_TUNES + 2)]
    for seed, name in enumerate(voices):
        add(name, s1=str(another_s1(tmp_path, seed)))
    engine = CloningEngine(settings)
    batch = [say("你好。", voice=name) for name in voices]
    first = list(map(heard, ask(engine, *batch)))
    assert len(engine._models._loaded) == MAX_FINE_TUNES
    assert list(map(heard, ask(engine, *batch))) == first
    assert len(set(first)) > 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"version": "v9"}, "No GPT-SoVITS version 'v9'"),
        ({"version": "v1"}, r"GPT-SoVITS v1 is not complete.*s2G488k\.pth.*models pull"),
        ({"s1": "none.ckpt"}, r"none\.ckpt: there is no such file"),
    ],
)
def test_a_model_that_is_not_there_is_named_with_the_remedy(
    options: dict[str, str], complaint: str, settings: Settings
) -> None:
    with pytest.raises((ModelError, RequestError), match=complaint):
        CloningEngine(settings, options).fingerprint()


@pytest.mark.parametrize(("n_cores", "n_threads"), [(1, 1), (2, 1), (4, 1), (8, 4), (64, 4)])
def test_how_many_threads_compute_depends_on_the_machine_and_not_on_the_processes(
    n_cores: int, n_threads: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: n_cores)
    engines = [
        CloningEngine(settings.model_copy(update={"jobs": jobs})) for jobs in (0, 1, 2, n_cores)
    ]
    assert {engine.capabilities.threads for engine in engines} == {n_threads}
    assert len({engine.fingerprint() for engine in engines}) == 1


def test_sums_in_another_order_are_never_taken_for_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for n_cores in (2, 16):
        monkeypatch.setattr("os.cpu_count", lambda n=n_cores: n)
        found.add(CloningEngine(settings).fingerprint())
    assert len(found) == 2


def test_two_files_that_were_exchanged_are_named(
    settings: Settings, add: Callable[..., Voice], pretrained: golden_models.Paths
) -> None:
    add("安")
    swapped = {"s1": str(pretrained.s2), "s2": str(pretrained.s1)}
    with pytest.raises(ModelError, match=re.escape(str(pretrained.s2)) + ".*exchanged"):
        ask(CloningEngine(settings, swapped), say())


def test_a_model_of_another_version_than_was_chosen_is_refused_with_the_option_to_give(
    settings: Settings, add: Callable[..., Voice], pretrained: golden_models.Paths
) -> None:
    add("安")
    options = {"version": "v1", "s1": str(pretrained.s1), "s2": str(pretrained.s2)}
    with pytest.raises(ModelError, match=r"a model of v2.*v1 was expected.*--param version=v2"):
        ask(CloningEngine(settings, options), say())


def test_every_package_that_reads_texts_is_part_of_the_fingerprint() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    extra = project["project"]["optional-dependencies"]["gpt-sovits"]
    needed = {re.split(r"[^\w-]", line, maxsplit=1)[0] for line in extra}
    # These hold and run the networks, whose files have digests of their own.
    assert needed - {"torch", "transformers", "safetensors"} <= set(READERS)


def test_what_cannot_be_spoken_is_told_with_its_place(settings: Settings) -> None:
    engine = CloningEngine(settings)
    assert engine.unspeakable("今天天气很好。", "zh") == ()
    (snowman,) = engine.unspeakable("今天☃很好。", "zh")
    assert snowman == "☃ (character 3)"


def test_a_speed_or_phonemes_out_of_reach_are_refused_before_anything_is_spoken(
    settings: Settings,
) -> None:
    engine = CloningEngine(settings, {"speed": "1.5"})
    engine.require(1.2, [Reading(start=0, end=2, phonemes="chong2 qing4")])
    with pytest.raises(RequestError, match=r"speed is 3\.0"):
        engine.require(2.0, [])
    with pytest.raises(RequestError, match="neither a symbol"):
        engine.require(1.0, [Reading(start=0, end=2, phonemes="hibˈɑɹi")])


def test_another_tokenizer_is_another_engine(settings: Settings, tmp_path: Path) -> None:
    tree = tmp_path / "changed"
    shutil.copytree(settings.gpt_sovits_folder, tree)
    other = settings.model_copy(update={"gpt_sovits_dir": tree})
    vocabulary = tree / "chinese-roberta-wwm-ext-large" / "vocab.txt"
    (vocabulary.parent / ".verified.json").write_text("{}", "utf-8")  # a note changes nothing
    assert CloningEngine(other).fingerprint() == CloningEngine(settings).fingerprint()
    vocabulary.write_text(vocabulary.read_text("utf-8") + "new\n", "utf-8")
    assert CloningEngine(other).fingerprint() != CloningEngine(settings).fingerprint()


# --- Memory ---------------------------------------------------------------------------------


def reading_prefixes(short: Shortage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory be short when several prefixes are read at once."""
    read = Eager.read

    def short_read(self: Eager, prefixes: Sequence[Prefix], rows: Sequence[int]) -> torch.Tensor:
        short(len(prefixes))
        return read(self, prefixes, rows)

    monkeypatch.setattr(Eager, "read", short_read)


def taking_steps(short: Shortage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory be short in the middle, when some sequences have many tokens."""
    step, taken = Eager.step, Counter[Eager]()

    def short_step(self: Eager, n: int, limits: Limits) -> None:
        taken[self] += 1
        if taken[self] % 20 == 0:
            short(n)
        step(self, n, limits)

    monkeypatch.setattr(Eager, "step", short_step)


def making_sound(short: Shortage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory be short for the vocoder while other sequences are still being decoded."""
    decode, n_first = SoVITS.decode, 2

    def short_decode(self: SoVITS, *arguments: Any, **more: Any) -> torch.Tensor:
        nonlocal n_first
        if n_first:
            n_first -= 1
            short(3)
        return decode(self, *arguments, **more)

    monkeypatch.setattr(SoVITS, "decode", short_decode)


@pytest.mark.slow
@pytest.mark.parametrize("where", [reading_prefixes, taking_steps, making_sound])
def test_an_engine_that_ran_out_of_memory_speaks_on_as_if_nothing_had_been(
    where: Callable[[Shortage, pytest.MonkeyPatch], None],
    settings: Settings,
    add: Callable[..., Voice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("安")
    batch = [say(TEXT[:n], seed=n) for n in (6, 9, 12, len(TEXT))]
    engine = CloningEngine(settings)
    undisturbed = [heard(each) for each in ask(engine, *batch)]
    assert any(isinstance(each, bytes) for each in undisturbed)
    n_short = 0

    def short(n_rows: int) -> None:
        nonlocal n_short
        if n_rows > 2:
            n_short += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    where(short, monkeypatch)
    with pytest.raises(torch.OutOfMemoryError):
        ask(engine, *batch)
    assert [heard(each) for each in speak(engine, batch)] == undisturbed
    assert n_short >= 2
    monkeypatch.undo()
    assert [heard(each) for each in ask(engine, *batch)] == undisturbed

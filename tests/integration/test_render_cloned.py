"""A whole book in cloned voices by the real command, on small random models in upstream's files.

What is said is noise, since the models are random; that it is the same noise whatever happens on
the way, that voices are kept with their consent, and what is refused, is what is shown here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import golden
import models as golden_models
import mutagen
import numpy as np
import pytest
import soundfile
from conftest import VOXMILL, Ran, outputs
from hibari import SAMPLE_RATE, Hibari

from pipeline import names
from pipeline.audio.clip import Clip
from pipeline.models.whisper import Whisper
from pipeline.settings import Settings
from pipeline.store.local import LocalStore
from pipeline.voices import consent, registry

Voxmill = Callable[..., Ran]

GOLDEN = Path(golden.__file__).parent / "golden"
CASE = golden.document(GOLDEN / "e2e" / "e2e_v2.json")
#: Ends soon enough that every chunk comes to an end.
CASE["s1"]["eos_row_gain"] = 4.0

CONSENT = "Ann Lee, agreed to audiobooks in her voice"
#: What the voices are made from.
RECORDED = {
    "安": "She folded the map twice, put it in her coat, and forgot about it. "
    "When the bell stopped, the whole valley went quiet.",
    "Bea": "The ferry left an hour late, and nobody on the quay seemed surprised. "
    "A thin rain had begun to fall on the roofs of the lower town.",
}

LINES = (
    "灯在九点一刻亮了起来，那天晚上没有人来敲门。",
    "我昨天在商店里买了一台MacBook Pro，屏幕非常清晰。",
    "他在图书馆里读了一整天的书，却什么也没有记住。",
    "今天天气很好，我们去公园散步吧，不要再等了。",
    "她用Python写了一个很小的程序，然后就回家去了。",
    "早上桌子上放着十四封信，每一封信里面都是空的。",
    "老人把书放下来，慢慢地走到窗前，看着外面的雨。",
    "河水上涨了两尺，桥也关闭了，他们一直等到中午。",
    "后来雨停了，人们穿过田野，高高兴兴地回到家里。",
)
BOOK = "\n\n".join(
    [
        "---\ntitle: 小书\nauthor: 作者\n---\n\n# 第一章",
        *LINES,
        "[voice: Bea] 没有人知道他从哪里来，也没有人问他。",
        "# 第二章",
        *(line.replace("了", "过", 1) for line in LINES),
        "[voice: Bea] 第二天一早，Tom就离开了这个城市。",
    ]
)
SHORT = "灯在九点一刻亮了起来，那天晚上没有人来敲门。\n\n我昨天买了一台MacBook Pro。\n"


@dataclass(frozen=True)
class Home:
    """Models and voices, and the command that uses them."""

    folder: Path
    voxmill: Voxmill
    environment: Mapping[str, str]

    @property
    def pretrained(self) -> Path:
        return self.folder / "pretrained_models"

    @property
    def store(self) -> LocalStore:
        return registry.open_store(Settings(voices_dir=self.folder / "voices"))

    @property
    def env(self) -> dict[str, str]:
        return {
            "VOXMILL_VOICES_DIR": str(self.folder / "voices"),
            "VOXMILL_MODELS_DIR": str(self.folder / "cache"),
            "OMP_NUM_THREADS": "1",
        }

    def command(self, book: Path, out: Path, *more: object) -> list[object]:
        return [
            "render", book, "--out", out, "--engine", "gpt-sovits", "--models", self.pretrained,
            "--voice", "安", "--precision", "fp32", "--check", "off", "--takes", 5,
            "--formats", "mp3", "--subtitles", "srt,json", "--json", *more,
        ]  # fmt: skip

    def render(self, book: Path, out: Path, *more: object) -> Ran:
        return self.voxmill(*self.command(book, out, *more), env=self.env)

    def prompts(self) -> dict[str, int]:
        """When each prompt that is kept was written, by name."""
        found = [name for name in self.store.names(names.VOICES) if "/prompts/" in name]
        return {name: self.store.path(name).stat().st_mtime_ns for name in found}

    def moved(self, folder: Path) -> Home:
        """Return a home with the same models and voices of its own."""
        folder.mkdir()
        shutil.copytree(self.folder / "voices", folder / "voices")
        (folder / "pretrained_models").symlink_to(self.pretrained)
        return replace(self, folder=folder)


@pytest.fixture(scope="module")
def home(
    voxmill: Voxmill,
    environment: dict[str, str],
    whisper_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Home:
    """A v2 and two voices: one made by the command, one by the registry."""
    home = Home(tmp_path_factory.mktemp("home"), voxmill, environment)
    golden_models.build_models(CASE, home.pretrained)
    recordings = {name: recorded(home.folder / f"{name}.wav", name) for name in RECORDED}
    ran = voxmill(
        "voices", "add", "安", "--audio", recordings["安"], "--text", RECORDED["安"],
        "--language", "en", "--consent", CONSENT, env=home.env,
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    registry.add(
        "Bea",
        recordings["Bea"],
        language="en",
        consent=consent.given("Bea Ray, agreed to audiobooks in her voice"),
        store=home.store,
        whisper=Whisper(whisper_dir),
        text=RECORDED["Bea"],
    )
    return home


def recorded(path: Path, name: str) -> Path:
    """Write a recording of the voice; the second speaker is a smaller one."""
    samples = np.asarray(Hibari(threads=1)(RECORDED[name], seed=1), np.float32)
    if name == "Bea":
        samples = Clip(samples, SAMPLE_RATE).resampled(round(SAMPLE_RATE / 1.15)).samples
    soundfile.write(path, samples, SAMPLE_RATE)
    return path


@pytest.fixture
def cloned_book(tmp_path: Path) -> Path:
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.fixture
def short_book(tmp_path: Path) -> Path:
    path = tmp_path / "short.md"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(home: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """The folder of a render by two processes that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    book = folder / "book.md"
    book.write_text(BOOK, encoding="utf-8")
    ran = home.render(book, folder / "out", "--jobs", 2)
    assert ran.code == 0, ran.stdout + ran.stderr
    return folder / "out", ran


def spoken(out: Path) -> set[str]:
    """The takes below an output folder."""
    return {path.name for path in (out / ".voxmill" / "chunks").rglob("*.flac")}


# --- A whole book ---------------------------------------------------------------------------


def test_a_book_in_two_cloned_voices_is_whole_and_says_whose_voices_they_are(
    home: Home, undisturbed: tuple[Path, Ran]
) -> None:
    out, ran = undisturbed
    assert ran.event("Planned")["n_chapters"] == 2
    assert ran.event("Planned")["n_chunks"] >= 20
    assert ran.event("Finished")["result"]["n_flagged"] == 0
    (path,) = out.rglob("*.mp3")
    tags = mutagen.File(path).tags
    comment = "".join(text for frame in tags.getall("COMM") for text in frame.text)
    for name in RECORDED:
        voice = registry.find(name, home.store)
        assert str(voice.uuid) in comment
        assert str(voice.consent.id) in comment
    assert mutagen.File(path).info.length > 20
    # What is kept of a voice is kept once, for all processes.
    assert len(home.prompts()) == 2


def test_one_process_in_another_folder_makes_the_same_bytes_of_the_same_prompts(
    home: Home, cloned_book: Path, tmp_path: Path, undisturbed: tuple[Path, Ran]
) -> None:
    before = home.prompts()
    ran = home.render(cloned_book, tmp_path / "out", "--jobs", 1)
    assert ran.code == 0, ran.stderr
    assert outputs(tmp_path / "out") == outputs(undisturbed[0])
    assert home.prompts() == before


def test_a_killed_render_speaks_only_what_is_missing_and_ends_with_the_same_bytes(
    home: Home, cloned_book: Path, tmp_path: Path, undisturbed: tuple[Path, Ran]
) -> None:
    out = tmp_path / "out"
    command = [*VOXMILL, *map(str, home.command(cloned_book, out, "--jobs", 1))]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**home.environment, **home.env},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert any('"event": "ChunkDone"' in line for line in process.stdout)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    kept = spoken(out)
    stamps = {path: path.stat().st_mtime_ns for path in (out / ".voxmill").rglob("*.flac")}
    assert 0 < len(kept) < len(spoken(undisturbed[0]))
    ran = home.render(cloned_book, out)
    assert ran.code == 0, ran.stderr
    assert 0 < ran.event("Planned")["n_cached"] <= len(kept)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert outputs(out) == outputs(undisturbed[0])


def test_another_checkpoint_hears_the_voice_anew_and_nothing_is_mixed(
    home: Home, short_book: Path, tmp_path: Path, undisturbed: tuple[Path, Ran]
) -> None:
    here = home.moved(tmp_path / "here")
    before = here.prompts()
    assert len(before) == 2
    other = golden_models.build_s1(CASE["s1"] | {"seed": 99}, tmp_path / "other.ckpt")
    first = here.render(short_book, tmp_path / "out")
    assert first.code == 0, first.stderr
    takes = spoken(tmp_path / "out")
    assert here.prompts() == before
    second = here.render(short_book, tmp_path / "out", "--param", f"s1={other}")
    assert second.code in (0, 3), second.stderr  # this one may not always come to an end
    assert second.event("Planned")["n_cached"] == 0
    assert before.items() < here.prompts().items()
    assert len(here.prompts()) == 3
    assert takes < spoken(tmp_path / "out")


def test_a_removed_voice_leaves_nothing_and_speaks_no_more(
    home: Home, cloned_book: Path, tmp_path: Path, undisturbed: tuple[Path, Ran]
) -> None:
    here = home.moved(tmp_path / "here")
    uuid = str(registry.find("Bea", here.store).uuid)
    assert any(uuid in name for name in here.prompts())
    assert here.voxmill("voices", "remove", "Bea", "--yes", env=here.env).code == 0
    assert not list((here.folder / "voices").rglob(f"*{uuid}*"))
    assert len(here.prompts()) == 1
    ran = here.render(cloned_book, tmp_path / "out")
    assert ran.code == 2
    assert "Bea" in ran.stderr
    assert "book.md, paragraph" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_v2pro_speaks_in_integers(home: Home, short_book: Path, tmp_path: Path) -> None:
    here = home.moved(tmp_path / "here")
    (here.folder / "pretrained_models").unlink()
    s2 = golden.document(GOLDEN / "s2" / "s2_v2Pro_tiny.json")
    document = CASE | {"version": "v2Pro", "s2": s2, "sv": {"seed": 7, "half": False}}
    golden_models.build_models(document, here.pretrained)
    ran = here.render(
        short_book, tmp_path / "out", "--param", "version=v2Pro", "--precision", "int8"
    )
    assert ran.code == 0, ran.stdout + ran.stderr
    assert ran.event("Finished")["result"]["n_flagged"] == 0
    assert list((tmp_path / "out").rglob("*.mp3"))


def test_noise_is_flagged_and_never_taken_for_success(
    home: Home, short_book: Path, tmp_path: Path
) -> None:
    ran = home.render(short_book, tmp_path / "out", "--check", "fast", "--takes", 1)
    assert ran.code == 3, ran.stderr
    assert ran.event("Finished")["result"]["n_flagged"] == ran.event("Planned")["n_chunks"] > 0


# --- What is refused, and what is only planned ----------------------------------------------


def test_a_folder_without_models_is_named_with_the_files_and_the_command(
    home: Home, short_book: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "nothing here"
    empty.mkdir()
    ran = home.render(short_book, tmp_path / "out", "--models", empty)
    assert ran.code == 1
    assert f"{empty}/gsv-v2final-pretrained/s2G2333k.pth" in ran.stderr
    assert "voxmill models pull gpt-sovits-v2" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--param", "topk=5"), ("'topk'", "top_k", "version, s1, s2")),
        (("--voice", "Nobody"), ("'Nobody'", "Bea, 安")),
        (("--precision", "fp8"), ("'fp8'", "bf16")),
    ],
)
def test_an_option_that_does_not_fit_is_refused_before_anything_is_spoken(
    options: tuple[str, ...], words: tuple[str, ...], home: Home, short_book: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    ran = home.render(short_book, tmp_path / "out", *options)
    assert ran.code == 2, ran.stderr
    for word in words:
        assert word in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_plan_needs_voices_but_speaks_nothing(home: Home, cloned_book: Path) -> None:
    ran = home.voxmill(
        "plan", cloned_book, "--engine", "gpt-sovits", "--models", home.pretrained,
        "--voice", "安", "--json", env=home.env,
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    plan: dict[str, Any] = json.loads(ran.stdout)["plan"]
    assert {chunk["voice"] for chunk in plan["chunks"]} == {"安", "Bea"}
    assert plan["language"] == "zh"
    assert max(len(chunk["text"]) for chunk in plan["chunks"]) <= 300

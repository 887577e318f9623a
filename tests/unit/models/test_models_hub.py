"""Downloads against a real server that interrupts, redirects, lies and goes away."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipeline.errors import ModelError, RequestError, StorageError
from pipeline.models import hub, web
from pipeline.models.files import half_made, silent
from pipeline.models.pull import pull
from pipeline.models.sources import HubSource, Model, ModelFile
from pipeline.settings import Settings

WEIGHTS = "/someone/tiny/resolve/abc/weights.bin"


@pytest.fixture
def weights(tiny: Model) -> ModelFile:
    return tiny.editions[0][1]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock", ".verified.json"}


def test_a_model_is_fetched_whole(here: Settings, tiny: Model, mirror) -> None:
    folder = pull("tiny", here)
    assert names(folder) == {"weights.bin", "vocabulary.txt"}
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]


def test_progress_tells_file_bytes_done_and_bytes_in_all(here: Settings, tiny: Model) -> None:
    told: list[tuple[str, int, int]] = []
    pull("tiny", here, lambda *report: told.append(report))
    assert ("vocabulary.txt", 14, 14) in told
    assert told[-1] == ("weights.bin", 200_000, 200_000)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    here: Settings, tiny: Model, mirror, fault
) -> None:
    mirror.faults = [fault(), fault(cut_after=70_000), fault(cut_after=50_000)]
    folder = pull("tiny", here)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]
    assert [asked for _, asked in mirror.requests] == [
        None,
        None,
        "bytes=70000-",
        "bytes=120000-",
    ]


def test_a_part_left_by_an_earlier_run_is_used(
    here: Settings, folder: Path, weights: ModelFile, mirror
) -> None:
    half_made(folder, weights).write_bytes(mirror.files[WEIGHTS][:150_000])
    pull("tiny", here)
    assert (WEIGHTS, "bytes=150000-") in mirror.requests
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]


def test_a_server_that_ignores_the_range_starts_the_file_over(
    here: Settings, folder: Path, weights: ModelFile, mirror, fault
) -> None:
    half_made(folder, weights).write_bytes(mirror.files[WEIGHTS][:150_000])
    mirror.faults = [fault(), fault(ignores_range=True)]
    pull("tiny", here)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]


def test_a_part_of_another_file_is_found_out_and_fetched_afresh(
    here: Settings, folder: Path, weights: ModelFile, mirror
) -> None:
    half_made(folder, weights).write_bytes(b"x" * 150_000)
    pull("tiny", here)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]
    assert [asked for path, asked in mirror.requests if path == WEIGHTS] == ["bytes=150000-", None]


def test_a_part_longer_than_the_file_is_thrown_away(
    here: Settings, folder: Path, weights: ModelFile, mirror
) -> None:
    half_made(folder, weights).write_bytes(b"x" * 300_000)
    pull("tiny", here)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]


def test_redirects_are_followed(here: Settings, tiny: Model, mirror, fault) -> None:
    mirror.files["/elsewhere"] = mirror.files[WEIGHTS]
    mirror.faults = [fault(), fault(redirects_to=f"{mirror.url}/elsewhere")]
    folder = pull("tiny", here)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]


def test_a_busy_server_is_asked_again(here: Settings, tiny: Model, mirror, fault) -> None:
    mirror.faults = [fault(status=503), fault(status=429)]
    assert names(pull("tiny", here)) == {"weights.bin", "vocabulary.txt"}


def test_a_missing_file_is_asked_for_once_and_named(here: Settings, tiny: Model, mirror) -> None:
    del mirror.files[WEIGHTS]
    with pytest.raises(ModelError, match=r"'tiny' cannot be had.*weights\.bin answers 404"):
        pull("tiny", here)
    assert len([path for path, _ in mirror.requests if path == WEIGHTS]) == 1


def test_other_bytes_than_the_pinned_ones_are_never_installed(
    here: Settings, folder: Path, mirror, fault
) -> None:
    mirror.faults = [fault(), fault(is_corrupt=True)]
    with pytest.raises(ModelError, match=r"weights\.bin is not the pinned file"):
        pull("tiny", here)
    assert names(folder) == {"vocabulary.txt"}


def test_a_server_that_never_gets_further_is_given_up_and_the_part_kept(
    here: Settings, folder: Path, weights: ModelFile, mirror, fault
) -> None:
    mirror.faults = [fault(), fault(cut_after=1_000)] + [fault(cut_after=0)] * 20
    with pytest.raises(ModelError, match="ended after 1000 of 200000 bytes"):
        pull("tiny", here)
    assert half_made(folder, weights).stat().st_size == 1_000


def test_a_host_without_a_name_fails_at_once(here: Settings, tiny: Model) -> None:
    nowhere = here.model_copy(update={"hub_url": "http://hub.invalid"})
    with pytest.raises(ModelError, match=r"hub\.invalid cannot be reached.*VOXMILL_HUB_URL"):
        pull("tiny", nowhere)


def test_a_host_that_never_answers_is_not_waited_for(
    here: Settings, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(ModelError, match="does not answer"):
            pull("tiny", here.model_copy(update={"hub_url": url}))


@pytest.mark.parametrize("url", ["file:///etc", "huggingface.co", "ftp://somewhere"])
def test_only_web_addresses_are_taken_for_a_hub(here: Settings, tiny: Model, url: str) -> None:
    with pytest.raises(RequestError, match="VOXMILL_HUB_URL"):
        pull("tiny", here.model_copy(update={"hub_url": url}))


def test_a_full_disk_is_named_with_the_remedy(
    here: Settings, folder: Path, weights: ModelFile
) -> None:
    half_made(folder, weights).symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"the disk is full.*VOXMILL_MODELS_DIR"):
        pull("tiny", here)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(min_value=1, max_value=120_000), max_size=6))
def test_wherever_the_line_breaks_the_file_comes_out_whole(
    tmp_path_factory: pytest.TempPathFactory, mirror, fault, weights: ModelFile, cuts: list[int]
) -> None:
    mirror.faults = [fault(cut_after=cut) for cut in cuts]
    folder = tmp_path_factory.mktemp("broken")
    source = HubSource("someone/tiny", "abc", (weights,))
    hub.fetch(source, (weights,), folder, mirror.url, silent)
    assert (folder / "weights.bin").read_bytes() == mirror.files[WEIGHTS]
    assert names(folder) == {"weights.bin"}

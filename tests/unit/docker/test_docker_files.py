"""Images, compose and Kubernetes files: linted, checked against schemas, and true to the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.settings import Settings
from producer.cli.app import app

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"
BASE = DOCKER / "kubernetes" / "base"
DOCKERFILES = sorted(DOCKER.glob("Dockerfile*"))
MANIFESTS = sorted(
    path for path in (DOCKER / "kubernetes").rglob("*.yaml") if path.name != "kustomization.yaml"
)
TEXTS = sorted(p for p in DOCKER.rglob("*") if p.is_file() and p.suffix != ".txt")
#: An image that can never be another one.
DIGEST = re.compile(r"[a-z/]+:[\w.-]*\d[\w.-]*@sha256:[0-9a-f]{64}")
#: Of which a digest is not known here: its version.
VERSION = re.compile(r"(voxmill|mher/flower):\d+\.\d+\.\d+(-cuda)?")
#: What is installed in the image of each kind.
EXTRAS = {"cpu": {"queue", "whisper"}, "cuda": {"queue", "whisper", "gpt-sovits"}}
#: Kinds that Kubernetes itself does not know.
CUSTOM = {"ScaledObject"}


def locked(path: Path) -> dict[str, str]:
    """The version of each package of a lock file; all have digests."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] not in "# "]
    digests = re.findall(r"^ +--hash=sha256:[0-9a-f]{64}( \\)?$", path.read_text(), re.M)
    assert len(digests) >= len(lines)
    pins = [re.fullmatch(r"([a-z0-9.-]+)==(\S+)(?: ; .*)? \\", line) for line in lines]
    return {pin[1]: pin[2] for pin in pins if pin or pytest.fail(f"{path.name} is not locked")}


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def compose() -> dict[str, Any]:
    return dict(documents(DOCKER / "compose.yaml")[0])


def resources() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for document in documents(path):
            yield path.name, document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(BASE.glob("*.yaml")):
        for document in documents(path):
            if document.get("kind") in ("Deployment", "StatefulSet"):
                yield document["metadata"]["name"], document["spec"]["template"]["spec"]


def commands() -> Iterator[list[str]]:
    """Every `voxmill` command that a container runs, without the program."""
    for path in DOCKERFILES:
        for line in re.findall(r"^CMD (\[\"(?:worker|reconcile).*\])$", path.read_text(), re.M):
            yield json.loads(line)
    for service in compose()["services"].values():
        if str(service.get("image", "")).startswith("voxmill"):
            yield service["command"]
    for name, pod in pods():
        if name != "redis":
            yield pod["containers"][0]["args"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_hadolint_finds_nothing_in_a_dockerfile(path: Path) -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_pinned_and_runs_without_privileges(path: Path) -> None:
    text = path.read_text()
    images = re.findall(r"^FROM (\S+)", text, re.M)
    assert images
    for image in images:
        assert DIGEST.fullmatch(image), image
    assert re.findall(r"^USER (\S+)", text, re.M)[-1] == "10001:10001"
    assert "pip install --require-hashes" in text
    assert "HEALTHCHECK" in text


@pytest.mark.parametrize(("image", "extras"), list(EXTRAS.items()))
def test_an_image_has_what_the_project_asks_for_by_digest(image: str, extras: set[str]) -> None:
    pins = locked(DOCKER / f"requirements-{image}.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"]]
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    for requirement in map(Requirement, asked):
        if not requirement.marker or requirement.marker.evaluate({"sys_platform": "linux"}):
            version = pins[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} but {version}"


def test_both_images_have_the_same_versions() -> None:
    cpu, cuda = (locked(DOCKER / f"requirements-{image}.txt") for image in EXTRAS)
    assert cpu.items() <= cuda.items()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.relative_to(DOCKER).as_posix())
def test_kubernetes_knows_what_a_manifest_says(path: Path) -> None:
    for document in documents(path):
        if document["kind"] not in CUSTOM and "overlays" not in path.parts:
            kubernetes_validate.validate(document, "1.34", strict=True)


def test_a_kustomization_names_every_file_there_is() -> None:
    listed = documents(BASE / "kustomization.yaml")[0]["resources"]
    there = {path.name for path in BASE.glob("*.yaml")}
    assert set(listed) == there - {"kustomization.yaml", "secret.example.yaml"}


def test_every_image_of_a_pod_is_pinned() -> None:
    renamed = documents(BASE / "kustomization.yaml")[0]["images"]
    tags = {each["name"]: f"{each['name']}:{each['newTag']}" for each in renamed}
    for _, pod in pods():
        image = tags.get(pod["containers"][0]["image"], pod["containers"][0]["image"])
        assert DIGEST.fullmatch(image) or VERSION.fullmatch(image), image


def test_a_pod_writes_only_where_it_has_room() -> None:
    """The root is read-only; the images' own variables say where things are written."""
    for name, pod in pods():
        mounts = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
        named = {each["name"] for each in pod["containers"][0]["volumeMounts"]}
        assert named <= {each["name"] for each in pod.get("volumes", [])} | {"data"}, name
        if name != "redis":
            assert {"/data", "/tmp"} <= mounts, name  # noqa: S108 - in the container
        if name == "finalizer":
            assert "VOXMILL_SCRATCH_DIR=/scratch" in DOCKERFILES[0].read_text()
            assert "/scratch" in mounts


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda each: str(each)[:20])
def test_a_pod_may_do_nothing_but_its_work(name: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_is_given_longer_than_a_worker_takes_to_stop() -> None:
    settings = documents(BASE / "settings.yaml")[0]["data"]
    for name, pod in pods():
        if name != "redis":
            assert pod["terminationGracePeriodSeconds"] > float(settings["VOXMILL_GRACE_S"])


def test_what_is_scaled_is_there_and_asks_for_metrics_that_are() -> None:
    names = {document["metadata"]["name"] for _, document in resources()}
    scaled = [document for _, document in resources() if document["kind"] == "ScaledObject"]
    assert {each["spec"]["scaleTargetRef"]["name"] for each in scaled} <= names
    assert scaled
    for each in scaled:
        for trigger in each["spec"]["triggers"]:
            assert metrics_in(trigger["metadata"]["query"]) <= known_metrics()


def test_compose_knows_every_word_of_the_file(tmp_path: Path) -> None:
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", "secret", (DOCKER / "compose.yaml").read_text())
    merged = yaml.safe_dump(yaml.safe_load(text))
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(merged)
    wrong.write_text(merged.replace("healthcheck:", "helthcheck:", 1))
    assert schema_says(right) == ""
    assert "helthcheck" in schema_says(wrong)


def schema_says(path: Path) -> str:
    """What the Compose specification's own schema finds wrong."""
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.compose-spec", path], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_compose_names_only_what_is_there() -> None:
    document = compose()
    assert set(document) <= {"name", "services", "volumes", "x-voxmill"}
    volumes = set(document["volumes"])
    for name, service in document["services"].items():
        image = service["image"]
        assert DIGEST.fullmatch(image) or VERSION.fullmatch(image), image
        for needed in service.get("depends_on", {}):
            assert needed in document["services"], name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in volumes or (DOCKER / source).exists(), f"{name}: {source}"


def test_every_service_that_stays_says_how_it_is_and_is_bounded() -> None:
    for name, service in compose()["services"].items():
        if service["restart"] != "no":
            own = str(service["image"]).startswith("voxmill")  # says it in its Dockerfile
            assert own or service["healthcheck"]["test"], name
            assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name


def test_only_loopback_reaches_the_consoles() -> None:
    for service in compose()["services"].values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_every_secret_of_compose_is_in_the_example() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", text))
    example = (DOCKER / "example.env").read_text()
    assert wanted == set(re.findall(r"^(\w+)=", example, re.M))


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_the_command_of_a_container_is_one_that_voxmill_has(command: list[str]) -> None:
    found: Any = typer.main.get_command(app)
    rest = list(command)
    while hasattr(found, "commands"):
        name = rest.pop(0)
        assert name in found.commands, command
        found = found.commands[name]
    options = {option for parameter in found.params for option in parameter.opts}
    for word in rest:
        assert not word.startswith("--") or word in options, command


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(DOCKER).as_posix())
def test_every_variable_is_one_that_settings_have(path: Path) -> None:
    known = {f"VOXMILL_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"VOXMILL_[A-Z0-9_]+", path.read_text())) <= known


def metrics_in(expression: str) -> set[str]:
    found = set(re.findall(r"voxmill_[a-z_]+", expression))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}


def known_metrics() -> set[str]:
    text = (ROOT / "workers" / "metrics.py").read_text()
    return set(re.findall(r'"(voxmill_[a-z_]+)"', text))


def test_alerts_ask_for_metrics_that_are_there() -> None:
    (rules,) = documents(DOCKER / "prometheus" / "alerts.yaml")[0]["groups"]
    for rule in rules["rules"]:
        assert metrics_in(rule["expr"]) <= known_metrics(), rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")


def test_the_dashboard_shows_every_metric_there_is() -> None:
    text = (DOCKER / "grafana" / "dashboards" / "voxmill.json").read_text()
    board = json.loads(text)
    shown = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in metrics_in(target["expr"])
    }
    assert shown == known_metrics()
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])

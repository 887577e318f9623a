"""Images, compose and Kubernetes files: linted, checked against schemas, and true to the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from compose_spec import PyCompose

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
#: Kinds that Kubernetes itself does not know.
CUSTOM = {"ScaledObject"}


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
        assert re.fullmatch(r"[a-z/]+:[\w.-]*\d[\w.-]*", image), image
        assert "latest" not in image
    assert re.findall(r"^USER (\S+)", text, re.M)[-1] == "10001:10001"
    assert "--constraint docker/constraints.txt" in text
    assert "HEALTHCHECK" in text


def test_every_version_in_an_image_is_pinned() -> None:
    lines = (DOCKER / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.!]+", pin) for pin in pins)
    assert {"celery", "torch", "boto3"} <= {pin.partition("==")[0] for pin in pins}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.relative_to(DOCKER).as_posix())
def test_kubernetes_knows_what_a_manifest_says(path: Path) -> None:
    for document in documents(path):
        if document["kind"] not in CUSTOM and "overlays" not in path.parts:
            kubernetes_validate.validate(document, "1.34", strict=True)


def test_a_kustomization_names_every_file_there_is() -> None:
    listed = documents(BASE / "kustomization.yaml")[0]["resources"]
    there = {path.name for path in BASE.glob("*.yaml")}
    assert set(listed) == there - {"kustomization.yaml", "secret.example.yaml"}


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


def test_compose_knows_every_word_of_the_file() -> None:
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", "secret", (DOCKER / "compose.yaml").read_text())
    merged = yaml.safe_dump(yaml.safe_load(text))
    PyCompose.from_yaml(merged).validate()
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_yaml(merged.replace("healthcheck:", "helthcheck:", 1))


def test_compose_names_only_what_is_there() -> None:
    document = compose()
    assert set(document) <= {"name", "services", "volumes", "x-voxmill"}
    volumes = set(document["volumes"])
    for name, service in document["services"].items():
        assert "image" in service, name
        assert not service["image"].endswith("latest"), name
        assert ":" in service["image"], name
        for needed in service.get("depends_on", {}):
            assert needed in document["services"], name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in volumes or (DOCKER / source).exists(), f"{name}: {source}"


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

"""The container files name only what there is: commands, settings, packages, volumes."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.processes import SERVICES
from operations.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "parkledger"}
KNOWN = {f"PARKLEDGER_{name.upper()}" for name in Settings.model_fields}


def test_the_compose_file_follows_its_published_schema() -> None:
    check = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, ROOT / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_service_runs_under_the_name_of_its_container() -> None:
    assert {name: service["command"] for name, service in OURS.items()} == {
        name: ["serve", name] for name in SERVICES
    }


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_container_is_known(name: str) -> None:
    assert set(OURS[name]["environment"]) <= KNOWN


def test_every_setting_of_the_image_is_known() -> None:
    assert set(re.findall(r"PARKLEDGER_\w+", DOCKERFILE)) <= KNOWN


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_volume_and_dependency_exists(name: str) -> None:
    service = COMPOSE["services"][name]
    assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= set(COMPOSE["volumes"])
    assert set(service.get("depends_on", ())) <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_has_limits_and_comes_back_after_a_crash(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


@pytest.mark.parametrize(
    "name", ["postgres", "kafka", "write-api", "read-api", "projector", "relay", "ingest"]
)
def test_what_answers_others_has_a_health_check(name: str) -> None:
    assert COMPOSE["services"][name]["healthcheck"]["test"][0] == "CMD"


def test_the_ports_are_those_of_the_settings() -> None:
    ports = {name: service["ports"] for name, service in OURS.items() if "ports" in service}
    assert ports == {
        name: [f"127.0.0.1:{port}:{port}"]
        for name, port in {"write-api": Settings().write_port, "read-api": Settings().read_port}.items()
    }
    assert f"EXPOSE {Settings().read_port} {Settings().write_port}\n" in DOCKERFILE


def test_the_image_holds_every_package_and_starts_the_projects_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE) == packages
    assert f'ENTRYPOINT ["{next(iter(project["project"]["scripts"]))}"]' in DOCKERFILE
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in packages} <= set(ignored)


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["parkledger"]


def test_the_lock_pins_every_dependency_with_hashes_and_names_no_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert {re.split(r"[\[<>=!~ ;]", one)[0].lower() for one in wanted} <= pinned
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert "://" not in lock

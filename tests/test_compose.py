"""docker-compose.yaml is read by the real Compose, and nothing starts without its secrets."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPOSE = Path(sys.executable).with_name("docker-compose")
SECRETS = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


def compose(tmp_path: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    empty = tmp_path / "env"
    empty.touch()  # a developer's own .env must not help
    command = [str(COMPOSE), "--env-file", str(empty), "-f", str(ROOT / "docker-compose.yaml"), *arguments]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | environment
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def services(tmp_path):
    answer = compose(tmp_path, dict.fromkeys(SECRETS, "x"), "--profile", "demo", "config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["services"]


def test_compose_accepts_the_file_when_every_secret_is_set(tmp_path):
    answer = compose(tmp_path, dict.fromkeys(SECRETS, "x"), "config", "-q")
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_names_the_secret_that_is_missing(tmp_path, missing):
    others = dict.fromkeys(set(SECRETS) - {missing}, "x")
    answer = compose(tmp_path, others, "config", "-q")
    assert answer.returncode != 0
    assert f"set {missing}, see .env.example" in answer.stderr


def test_every_service_but_the_migration_says_whether_it_is_healthy(services):
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["migrate"]


def test_only_the_migration_knows_the_owner_of_the_warehouse(services):
    knowing = [
        name for name, service in services.items() if "DIRECTIVE_ETL_MIGRATION_URL" in service["environment"]
    ]
    assert knowing == ["migrate"]


def test_only_the_worker_knows_the_key_of_the_phone_number_hashes(services):
    knowing = [
        name for name, service in services.items() if "DIRECTIVE_ETL_HASH_KEY" in service["environment"]
    ]
    assert knowing == ["worker"]


def test_the_demo_city_has_no_secret(services):
    assert "x" not in services["demo-city"]["environment"].values()
    assert not any("://" in value for value in services["demo-city"]["environment"].values())


def test_ports_are_published_on_this_machine_only(services):
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}

"""The compose file, read as data: what can be known without an engine is checked without one."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from archive.env import database

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"db", "redis", "objects", "proxy"}
VARIABLE = re.compile(r"\$\{(\w+)(?::[?-]([^}]*))?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text()
    plan: dict[str, Any] = yaml.safe_load(text)
    return plan


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The names the settings ask for, and those `up` asks for, by asking them."""
    code = "from archive import settings; print(*settings.env.known)"
    environment = os.environ | filled({"DATABASE_URL": "postgresql://a:b@c/d", "REDIS_URL": "redis://r/0"})
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return set(found.stdout.split())


def filled(environment: dict[str, str]) -> dict[str, str]:
    """What an engine would put in place of ${…}: the default, or some value where one must be given."""
    return {
        name: VARIABLE.sub(lambda hit: hit[2] if hit[2] and "set it" not in hit[2] else "x" * 40, str(value))
        for name, value in environment.items()
    }


def own(compose: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if name not in NOT_OURS}


def test_the_house_is_complete(compose: dict[str, Any]) -> None:
    wanted = {
        "db",
        "redis",
        "objects",
        "migrate",
        "web",
        "worker-io",
        "worker-gpu",
        "worker-cpu",
        "beat",
        "proxy",
    }
    assert set(compose["services"]) == wanted
    assert compose["services"]["worker-gpu"]["profiles"] == ["gpu"]
    assert compose["services"]["worker-cpu"]["profiles"] == ["cpu"]


def test_every_variable_is_one_the_settings_ask_for(compose: dict[str, Any], known: set[str]) -> None:
    for name, service in own(compose).items():
        assert set(service["environment"]) <= known, name


def test_the_settings_load_with_each_services_environment(compose: dict[str, Any], tmp_path: Path) -> None:
    """Same environment for all: one process is enough to know."""
    environments = [filled(service["environment"]) for service in own(compose).values()]
    assert all(environment == environments[0] for environment in environments)
    environment = environments[0] | {"PALIMPSEST_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    code = (
        "import django; django.setup(); from django.conf import settings as s\n"
        "assert s.DATABASES['default']['HOST'] == 'db' and s.REDIS_URL.startswith('redis://redis')\n"
        "assert s.STORE.startswith('s3://') and s.SESSION_COOKIE_SECURE and not s.DEBUG\n"
        "from django.core.checks import run_checks, ERROR\n"
        "print([m for m in run_checks() if m.level >= ERROR])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "archive.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.strip() == "[]", found.stderr


def test_what_must_be_secret_has_no_default(compose: dict[str, Any]) -> None:
    environment = own(compose)["web"]["environment"]
    for name in (
        "DATABASE_URL",
        "PALIMPSEST_SECRET_KEY",
        "PALIMPSEST_S3_ACCESS_KEY",
        "PALIMPSEST_S3_SECRET_KEY",
    ):
        assert ":?" in environment[name], name


def test_the_database_sorts_as_the_private_one_does(compose: dict[str, Any]) -> None:
    from archive.embedded.postgres import LOCALE

    service = compose["services"]["db"]
    assert service["image"] == "postgres:18"
    assert service["environment"]["POSTGRES_INITDB_ARGS"].split() == list(LOCALE)
    url = filled(own(compose)["web"]["environment"])["DATABASE_URL"]
    assert database(url)["NAME"] == service["environment"]["POSTGRES_DB"]


def test_every_command_names_something_that_exists(compose: dict[str, Any]) -> None:
    for name, service in own(compose).items():
        for module in re.findall(r"-A ([\w.]+):app", service.get("command", "")):
            assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), (name, module)
        for command in re.findall(r"manage\.py (\w+)", service.get("command", "")):
            from django.core.management import get_commands

            assert command in get_commands(), (name, command)
    for source in re.findall(r"- (\./deploy/[\w.]+)", (ROOT / "docker-compose.yml").read_text()):
        assert (ROOT / source).exists() or source.endswith("certificates")


def test_what_sweeps_uploads_sees_the_bytes_that_arrived_at_web(compose: dict[str, Any]) -> None:
    for name in ("web", "worker-io"):
        assert "incoming:/data/incoming" in compose["services"][name]["volumes"], name
        assert own(compose)[name]["environment"]["PALIMPSEST_HOME"] == "/data"


def test_volumes_and_files_are_declared(compose: dict[str, Any]) -> None:
    named = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "/"))
    }
    assert named == set(compose["volumes"])
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)", dockerfile, flags=re.M))
    assert {service["build"]["target"] for service in own(compose).values()} <= stages

"""What a load balancer and a monitor are told."""

from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from archive.catalogue.models import StoredFile
from archive.jobs.models import Worker
from archive.store import get_store

pytestmark = pytest.mark.django_db
FAR_AWAY = "203.0.113.9"


def test_all_three_parts_are_ready_and_workers_are_listed(client: Client) -> None:
    from django.utils import timezone

    Worker.objects.create(name="box:1", kind="gpu", device="cpu", last_seen=timezone.now())
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert {name: answer.json()[name]["state"] for name in ("database", "queue", "storage")} == dict.fromkeys(
        ("database", "queue", "storage"), "ready"
    )
    assert [(worker["kind"], worker["alive"]) for worker in answer.json()["workers"]] == [("gpu", True)]


def test_a_queue_that_is_down_is_named_and_answers_503_at_once(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["queue"]["state"] == "down"
    assert answer.json()["database"]["state"] == "ready"


def test_an_empty_mount_point_is_not_taken_for_the_store(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    stored = get_store().put(BytesIO(b"a picture"))
    StoredFile.objects.get_or_create(
        sha256=stored.sha256, defaults={"size": stored.size, "media_type": "image/tiff"}
    )
    assert client.get("/health/ready").status_code == 200
    settings.STORE = str(tmp_path / "not mounted")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "right volume" in answer.json()["storage"]["detail"]


def test_the_process_is_alive_whatever_the_rest_does(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    assert client.get("/health/live").json() == {"status": "alive"}


def test_strangers_learn_no_paths_and_no_figures(client: Client) -> None:
    answer = client.get("/health/ready", REMOTE_ADDR=FAR_AWAY)
    assert answer.status_code == 200
    assert "detail" not in answer.json()["storage"]
    assert client.get("/metrics", REMOTE_ADDR=FAR_AWAY).status_code == 404
    assert client.get("/metrics", headers={"x-forwarded-for": FAR_AWAY}).status_code == 404


def test_prometheus_reads_figures_on_this_machine_or_with_the_token(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "a token of the operator"
    text = client.get("/metrics").content.decode()
    assert 'palimpsest_ready{part="database"} 1.0' in text
    assert "palimpsest_stored_bytes " in text
    bearer = {"authorization": "Bearer a token of the operator"}
    assert client.get("/metrics", REMOTE_ADDR=FAR_AWAY, headers=bearer).status_code == 200

"""A wrong surrounding is told in a sentence, before anything happens."""

from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from archive.env import Env, EnvironmentProblem, database, made


def test_a_variable_that_makes_no_sense_names_itself_and_what_was_expected() -> None:
    env = Env({"PALIMPSEST_DEBUG": "perhaps", "PORT": "eighty", "PALIMPSEST_MAX_TRIES": "0"})
    with pytest.raises(EnvironmentProblem, match="PALIMPSEST_DEBUG: expected yes or no, got 'perhaps'"):
        env.flag("PALIMPSEST_DEBUG", False)
    with pytest.raises(EnvironmentProblem, match="PORT: expected a whole number, got 'eighty'"):
        env.whole("PORT", 8000)
    with pytest.raises(EnvironmentProblem, match="PALIMPSEST_MAX_TRIES: expected at least 1, got 0"):
        env.whole("PALIMPSEST_MAX_TRIES", 4, least=1)
    with pytest.raises(EnvironmentProblem, match="NOT_THERE: expected a value"):
        env.text("NOT_THERE")
    assert env.known == {"PALIMPSEST_DEBUG", "PORT", "PALIMPSEST_MAX_TRIES", "NOT_THERE"}


def test_an_empty_variable_counts_as_none() -> None:
    assert Env({"PALIMPSEST_HOSTS": ""}).words("PALIMPSEST_HOSTS", "a, b") == ["a", "b"]


def test_a_database_address_is_read_whole() -> None:
    found = database("postgresql://ada:p%40ss@db:5433/archive?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("ada", "p@ss", "db", "5433")
    assert found["NAME"] == "archive"
    assert found["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql://a"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(EnvironmentProblem, match="DATABASE_URL: expected"):
        database(url)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="expected a writable folder"):
        made(tmp_path / "file" / "incoming")


def test_checks_name_a_short_key_and_a_bucket_without_keys(settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    settings.STORE, settings.S3_ACCESS_KEY = "s3://masters", ""
    assert {"palimpsest.E001", "palimpsest.W001"} <= {message.id for message in run_checks()}


def test_checks_find_nothing_in_the_settings_as_they_come() -> None:
    assert [message for message in run_checks() if message.id and message.id.startswith("palimpsest")] == []

"""The rules the database guards, each proved by going around the services."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from archive.catalogue.models import Collection, Version
from tests.archive import factories

pytestmark = pytest.mark.django_db


def refused(sql: str, parameters: list[Any]) -> bool:
    """Does the database refuse this?"""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(
    "table",
    [
        "catalogue_version",
        "catalogue_recipe",
        "catalogue_sidecar",
        "catalogue_event",
        "catalogue_eventobject",
        "catalogue_eventagent",
        "catalogue_itemrevision",
    ],
)
def test_what_is_written_once_is_neither_changed_nor_deleted(table: str, portraits: Collection) -> None:
    factories.derivative(factories.master(portraits))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1 LIMIT 1",
            [table],
        )
        column = cursor.fetchone()[0]
    assert refused(f"UPDATE {table} SET {column} = {column}", [])
    assert refused(f"DELETE FROM {table}", [])


def test_a_stored_files_digest_and_size_never_change_but_its_last_check_may(portraits: Collection) -> None:
    file = factories.master(portraits).file
    assert refused("UPDATE catalogue_storedfile SET size = size + 1 WHERE sha256 = %s", [file.sha256])
    assert refused("UPDATE catalogue_storedfile SET sha256 = %s WHERE sha256 = %s", ["b" * 64, file.sha256])
    assert refused("DELETE FROM catalogue_storedfile WHERE sha256 = %s", [file.sha256])
    assert not refused(
        "UPDATE catalogue_storedfile SET last_verified = now() WHERE sha256 = %s", [file.sha256]
    )


def copy_with(version: Version, **changes: object) -> Callable[[], bool]:
    """Insert a copy of a version's row with some columns changed."""
    columns = [str(field.column) for field in Version._meta.concrete_fields]
    values = ", ".join("%s" if column in changes else column for column in columns)
    names = ", ".join(columns)
    sql = f"INSERT INTO catalogue_version ({names}) SELECT {values} FROM catalogue_version WHERE id = %s"
    parameters = [changes[column] for column in columns if column in changes]
    return lambda: refused(sql, [*parameters, version.pk])


def test_only_masters_lack_a_source(portraits: Collection) -> None:
    master = factories.master(portraits)
    made = factories.derivative(master)
    fresh = {"id": "0198ffff-0000-7000-8000-000000000001", "number": 9}
    assert copy_with(master, **fresh, role="restored")()
    assert copy_with(made, **fresh, role="master")()
    assert copy_with(made, **fresh, derived_from_id=None)()


def test_one_number_per_scan_and_one_version_per_source_recipe_and_run(portraits: Collection) -> None:
    made = factories.derivative(factories.master(portraits))
    fresh = "0198ffff-0000-7000-8000-000000000001"
    assert copy_with(made, id=fresh, run=2)()  # the same number
    assert copy_with(made, id=fresh, number=9)()  # the same source, recipe and run
    assert not copy_with(made, id=fresh, number=9, run=2)()


def test_a_derivative_belongs_to_the_scan_it_was_made_from(portraits: Collection) -> None:
    made, other = factories.derivative(factories.master(portraits)), factories.master(portraits)
    changes = {"id": "0198ffff-0000-7000-8000-000000000001", "number": 9, "run": 2, "scan_id": other.scan_id}
    assert copy_with(made, **changes)()


def test_an_admin_is_admin_of_the_whole_archive(portraits: Collection, ada: object) -> None:
    assert refused("UPDATE accounts_membership SET role = 'admin' WHERE collection_id = %s", [portraits.pk])

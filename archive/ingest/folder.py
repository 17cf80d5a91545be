"""Ingesting a folder: in order of names, resumable, with a count at the end that says what became of every file."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.accounts.models import User
from archive.catalogue.description import PROPERTIES
from archive.catalogue.models import Collection
from archive.ingest.models import Upload
from archive.ingest.services import receive, was_there_already

IGNORED = {"thumbs.db", "desktop.ini", ".ds_store"}
FILE_COLUMNS = ("file", "filename", "identifier")


class SheetProblem(Exception):
    """A sheet that cannot be used; says which row and column."""


@dataclass
class Tally:
    """What became of the files."""

    new: int = 0
    already: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)  # (name, sentence)


@dataclass(frozen=True)
class Row:
    """What a sheet says of one file."""

    description: Mapping[str, Any]
    date: str


def files_in(folder: Path) -> list[Path]:
    """All files below a folder, sorted, without what systems leave lying about; links are not followed."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and path.name.lower() not in IGNORED
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def ingest_files(
    files: list[Path], *, collection: Collection, by: User | None, on_duplicate: str, sheet: Mapping[str, Row]
) -> Iterator[tuple[Path, Tally]]:
    """Take the files in one by one, yielding after each what has become of all so far."""
    tally = Tally()
    for path in files:
        row = sheet.get(path.name) or sheet.get(path.stem)
        upload = receive(
            path,
            filename=path.name,
            collection=collection,
            by=by,
            on_duplicate=on_duplicate,
            description=row.description if row else None,
            date=row.date if row else "",
        )
        if upload.state == Upload.State.REFUSED:
            tally.refused.append((path.name, upload.sentence))
        elif was_there_already(upload):
            tally.already += 1
        else:
            tally.new += 1
        yield path, tally


def read_sheet(path: Path) -> dict[str, Row]:
    """A CSV sheet as `{file name or identifier: row}`; columns are Dublin Core properties, `date`, and one of
    `file`, `filename`, `identifier`. Several values of a property are separated by `|`.

    Raises:
        SheetProblem: no readable CSV, no file column, an unknown column, a name twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns = [column.strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            by = next((column for column in FILE_COLUMNS if column in columns), None)
            if by is None:
                raise SheetProblem(
                    f"{path.name}: expected a column {' or '.join(FILE_COLUMNS)}, got {columns}."
                )
            if unknown := [c for c in columns if c not in {*PROPERTIES, *FILE_COLUMNS, "date"}]:
                raise SheetProblem(
                    f"{path.name}: unknown column {unknown[0]!r}; known are {', '.join(PROPERTIES)}, date."
                )
            return _rows(path, reader, by)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetProblem(
            f"{path.name}: expected a CSV sheet in UTF-8, got one that cannot be read ({error})."
        ) from error


def _rows(path: Path, reader: "csv.DictReader[str]", by: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for number, line in enumerate(reader, start=2):
        if None in line or None in line.values():
            raise SheetProblem(f"{path.name}, row {number}: expected {len(reader.fieldnames or [])} columns.")
        name = line[by].strip()
        if not name:
            raise SheetProblem(f"{path.name}, row {number}, column {by}: expected a file name, found none.")
        if name in rows:
            raise SheetProblem(f"{path.name}, row {number}, column {by}: {name!r} stands here twice.")
        description = {
            column: [part.strip() for part in value.split("|") if part.strip()]
            for column, value in line.items()
            if column in PROPERTIES and value.strip()
        }
        rows[name] = Row(description=description, date=(line.get("date") or "").strip())
    return rows

"""Writing many new rows at once, by COPY: an INSERT of as many values takes longer to compose and parse than to do."""

import io
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Field, JSONField, Model

ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

WRITTEN: dict[type, Callable[[Any], str]] = {
    str: lambda text: text.translate(ESCAPED),
    bool: lambda yes: "t" if yes else "f",
    type(None): lambda _nothing: "\\N",
    **dict.fromkeys((int, UUID, date, datetime), str),
}


def copy_in(model: type[Model], rows: Sequence[Model]) -> None:
    """Write new rows of a model, all or none, as `bulk_create` does; keys that the database gives are not read back.

    Raises:
        IntegrityError: as an INSERT of the same rows would.
        TypeError: a field holds what has no plain notation here.
    """
    if not rows:
        return
    fields = [field for field in model._meta.concrete_fields if not field.db_returning]
    lines = io.StringIO()
    for row in rows:
        lines.write("\t".join([_written(field, field.pre_save(row, add=True)) for field in fields]))
        lines.write("\n")
    lines.seek(0)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN", lines)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _written(field: "Field[Any, Any]", value: Any) -> str:
    """A value in the text notation of COPY."""
    if isinstance(field, JSONField):
        return json.dumps(value, ensure_ascii=False).translate(ESCAPED)
    write = WRITTEN.get(type(value)) or next(
        (w for kind, w in WRITTEN.items() if isinstance(value, kind)), None
    )
    if write is None:
        raise TypeError(f"{field}: expected text, a number, a date or an id, got {type(value).__name__}")
    return write(value)

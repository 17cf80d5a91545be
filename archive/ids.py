"""Identifiers that appear in addresses: opaque, for ever, and roughly in order of creation."""

from uuid import UUID

from uuid6 import uuid7


def new_id() -> UUID:
    """Return a UUIDv7: unique without asking anyone, and ordered in time, so that it also serves keyset paging."""
    return UUID(int=uuid7().int)


def as_uuid(text: str | None) -> UUID | None:
    """An id out of an address; None for what is no id, as for none at all."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

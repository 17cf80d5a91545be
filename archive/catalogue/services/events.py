"""Writing the history: events linked by role to objects and to agents."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from archive.accounts.models import User
from archive.catalogue.models import (
    Agent,
    Collection,
    Event,
    EventAgent,
    EventObject,
    Item,
    Scan,
    StoredFile,
    Version,
)

Subject: TypeAlias = Collection | Item | Scan | Version | StoredFile

COLUMN: dict[type, str] = {
    Collection: "collection",
    Item: "item",
    Scan: "scan",
    Version: "version",
    StoredFile: "file",
}


def record(
    type_: str,
    *,
    about: Iterable[tuple[str, Subject]],
    by: Iterable[tuple[str, Agent]] = (),
    outcome: str = Event.Outcome.SUCCESS,
    detail: Mapping[str, Any] | None = None,
) -> Event:
    """Append one event. `about` is `(role, object)`, `by` is `(role, agent)`; facts go into `detail`, never prose.

    Call it inside the transaction of the change it tells of, so that neither exists without the other.
    """
    event = Event.objects.create(type=type_, outcome=outcome, detail=dict(detail or {}))
    EventObject.objects.bulk_create(
        [EventObject(event=event, role=role, **{COLUMN[type(subject)]: subject}) for role, subject in about]
    )
    EventAgent.objects.bulk_create([EventAgent(event=event, role=role, agent=agent) for role, agent in by])
    return event


def agent_of(user: User | None) -> list[tuple[str, Agent]]:
    """The person behind a user as an event's agent; nobody for what the system did by itself."""
    if user is None:
        return []
    agent, _created = Agent.objects.get_or_create(
        user=user, defaults={"kind": Agent.Kind.PERSON, "name": str(user)[:200]}
    )
    return [("implementer", agent)]


def software(name: str, version: str) -> list[tuple[str, Agent]]:
    """A program in one version as an event's agent."""
    agent, _created = Agent.objects.get_or_create(
        kind=Agent.Kind.SOFTWARE, name=name, version=version, user=None
    )
    return [("executing program", agent)]

"""Derivatives by the batch: what a worker made is written in a number of statements that does not grow with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from archive.accounts.models import User
from archive.catalogue.models import (
    Agent,
    Event,
    EventObject,
    Recipe,
    Scan,
    Sidecar,
    Version,
)
from archive.catalogue.search.indexing import refresh_facets
from archive.catalogue.services.events import agent_of, software
from archive.review.models import Review

if TYPE_CHECKING:
    from archive.catalogue.services.pictures import NewDerivative


# Eight programs and people a picture: as model instances they would take longer than all its other rows together.
TOOK_PART = """
INSERT INTO catalogue_eventagent (event_id, agent_id, role)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[])
"""


@dataclass(frozen=True)
class Derived:
    """A derivative about to be recorded. `agents` are the programs that made it, `{name: version}`."""

    source: Version
    made: "NewDerivative"
    recipe: Recipe
    by: User | None
    agents: Mapping[str, str]
    reference: Version | None = None


def lock_scans(scans: Iterable[UUID]) -> None:
    """Hold scans, so that nobody else adds versions to them until the transaction ends. Always in the same order."""
    list(
        Scan.objects.select_for_update(no_key=True)
        .filter(pk__in=set(scans))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


@transaction.atomic
def add_derivatives(batch: Sequence[Derived]) -> list[Version]:
    """Add derivatives in state draft, each with its sidecars, its review and its event.

    Call it in the transaction that also ends the job items, with the scans held by `lock_scans`.

    Raises:
        IntegrityError: a source, recipe and run has a version already.
    """
    numbers = _next_numbers({derived.source.scan_id for derived in batch})
    versions = Version.objects.bulk_create([_version(derived, numbers) for derived in batch])
    Sidecar.objects.bulk_create(
        [
            Sidecar(version=version, kind=kind, file=file)
            for version, derived in zip(versions, batch, strict=True)
            for kind, file in derived.made.sidecars.items()
        ]
    )
    Review.objects.bulk_create([Review(version=version) for version in versions])
    _record(list(zip(versions, batch, strict=True)))
    scans = {derived.source.scan_id for derived in batch}
    refresh_facets(Scan.objects.filter(pk__in=scans).values_list("item", flat=True))
    return versions


def role_of(recipe: Recipe) -> str:
    """What a derivative of this recipe is called: the last of the roles, in their order, among its operations."""
    named = {"restore": "restored", "upscale": "upscaled", "colourise": "colourised", "stylise": "stylised"}
    roles = {named[operation] for operation in recipe.operations}
    return [role for role in Version.Role.values if role in roles][-1]


def _version(derived: Derived, numbers: dict[UUID, int]) -> Version:
    scan, made = derived.source.scan_id, derived.made
    numbers[scan] += 1
    return Version(
        scan_id=scan, number=numbers[scan], role=role_of(derived.recipe), file=made.file,
        derived_from=derived.source, reference=derived.reference, recipe=derived.recipe, run=made.run,
        report=dict(made.report), technical=dict(made.technical), width=made.width, height=made.height,
        bands=made.bands, bits=made.bits, created_by=derived.by,
    )  # fmt: skip


def _next_numbers(scans: set[UUID]) -> dict[UUID, int]:
    """The highest number of each scan so far; the caller holds the scans, so no two versions get the same."""
    newest = Version.objects.filter(scan__in=scans).order_by().values_list("scan")
    return dict.fromkeys(scans, 0) | dict(newest.annotate(newest=Max("number")))


def _record(pairs: Sequence[tuple[Version, Derived]]) -> None:
    """One derivation event each, about what came out and what it was made of, by the programs and the person."""
    events = Event.objects.bulk_create(
        [
            Event(
                type=Event.Type.DERIVATION,
                detail={"recipe": derived.recipe.digest, "sha256": derived.made.file.sha256},
            )
            for _version, derived in pairs
        ]
    )
    objects: list[EventObject] = []
    agents: list[tuple[UUID, UUID, str]] = []  # event, agent, role
    programs = _programs(derived.agents for _version, derived in pairs)
    people = {
        person.pk: agent_of(person)[0][1].pk for person in {d.by for _v, d in pairs if d.by is not None}
    }
    for event, (version, derived) in zip(events, pairs, strict=True):
        objects += [
            EventObject(event=event, role="outcome", version=version),
            EventObject(event=event, role="source", version=derived.source),
        ]
        if derived.reference:
            objects.append(EventObject(event=event, role="reference", version=derived.reference))
        agents += [(event.pk, programs[pair], "executing program") for pair in derived.agents.items()]
        if derived.by is not None:
            agents.append((event.pk, people[derived.by.pk], "authorizer"))
    EventObject.objects.bulk_create(objects)
    if agents:
        with connection.cursor() as cursor:
            cursor.execute(TOOK_PART, [list(column) for column in zip(*agents, strict=True)])


def _programs(named: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], UUID]:
    """The agents of programs in their versions, those not met before made; one query as a rule."""
    wanted = {pair for agents in named for pair in agents.items()}
    known = {
        (name, number): pk
        for pk, name, number in Agent.objects.filter(
            kind=Agent.Kind.SOFTWARE, user=None, name__in={name for name, _number in wanted}
        ).values_list("pk", "name", "version")
    }
    for name, number in sorted(wanted - known.keys()):
        known[(name, number)] = software(name, number)[0][1].pk
    return known

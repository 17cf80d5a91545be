"""Files, masters, derivatives, model releases: written once, in order file first and row second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from archive.accounts.models import User
from archive.catalogue.errors import AlreadyMade, NotAMaster, ReleaseTaken
from archive.catalogue.models import (
    Event,
    Item,
    ModelRelease,
    Recipe,
    Scan,
    StoredFile,
    Version,
)
from archive.catalogue.services.derivatives import Derived, add_derivatives, lock_scans
from archive.catalogue.services.events import agent_of, record
from stylizer.cards import Card
from stylizer.imageio import Facts
from stylizer.recipe import Recipe as ResolvedRecipe


@dataclass(frozen=True)
class NewMaster:
    """What is known of a picture about to become a master. `file` is stored already: file first, row second."""

    file: StoredFile
    facts: Facts
    page: int = 0
    original_name: str = ""
    label: str = ""


@dataclass(frozen=True)
class NewDerivative:
    """What a worker made, all of it stored already."""

    file: StoredFile
    width: int
    height: int
    bands: int
    bits: int
    report: Mapping[str, Any]
    technical: Mapping[str, Any] = field(default_factory=dict)
    sidecars: Mapping[str, StoredFile] = field(default_factory=dict)  # Sidecar.Kind → file
    run: int = 1


@transaction.atomic
def add_master(
    item: Item,
    master: NewMaster,
    *,
    by: User | None,
    scan: Scan | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Version:
    """Add a master: of a new scan of the item, or, with `scan`, a rescan that supersedes its current master.

    The older master and its derivatives stay as they are; they are simply no longer current.
    """
    if scan is None:
        Item.objects.select_for_update().get(pk=item.pk)  # two uploads to one item must not take one position
        scan = Scan.objects.create(item=item, position=item.scans.count() + 1, label=master.label[:120])
    else:
        scan = Scan.objects.select_for_update().get(pk=scan.pk)
    version = Version.objects.create(
        scan=scan,
        number=_next_number(scan),
        role=Version.Role.MASTER,
        file=master.file,
        page=master.page,
        original_name=master.original_name[:255],
        supersedes=scan.current_master,
        created_by=by,
        **_dimensions(master.facts),
    )
    scan.current_master = version
    scan.save(update_fields=["current_master"])
    record(
        Event.Type.INGESTION,
        about=[("outcome", version), ("source", master.file), ("subject", item)],
        by=agent_of(by),
        detail={"sha256": master.file.sha256, "original_name": master.original_name, **(detail or {})},
    )
    return version


@transaction.atomic
def add_masters(item: Item, masters: Sequence[NewMaster], *, by: User | None) -> list[Version]:
    """Add several new scans at once, one master each: the pages of one file, in a handful of queries however many.

    One event tells of them all.
    """
    if len(masters) == 1:
        return [add_master(item, masters[0], by=by)]
    Item.objects.select_for_update().get(pk=item.pk)
    first = item.scans.count() + 1
    scans = Scan.objects.bulk_create(
        [Scan(item=item, position=first + i, label=master.label[:120]) for i, master in enumerate(masters)]
    )
    versions = Version.objects.bulk_create(
        [
            Version(
                scan=scan,
                number=1,
                role=Version.Role.MASTER,
                file=master.file,
                page=master.page,
                original_name=master.original_name[:255],
                created_by=by,
                **_dimensions(master.facts),
            )
            for scan, master in zip(scans, masters, strict=True)
        ]
    )
    for scan, version in zip(scans, versions, strict=True):
        scan.current_master = version
    Scan.objects.bulk_update(scans, ["current_master"], batch_size=500)
    files = {master.file.sha256: master.file for master in masters}
    record(
        Event.Type.INGESTION,
        about=[("subject", item), *(("source", file) for file in files.values())],
        by=agent_of(by),
        detail={"sha256": sorted(files), "original_name": masters[0].original_name, "pages": len(masters)},
    )
    return versions


@transaction.atomic
def add_derivative(
    source: Version,
    made: NewDerivative,
    *,
    recipe: Recipe,
    by: User | None,
    agents: Mapping[str, str],
    reference: Version | None = None,
) -> Version:
    """Add a derivative of `source` in state draft. `agents` are the programs that made it, `{name: version}`.

    Call it in the transaction that also ends the job item, guarded by its lease.

    Raises:
        AlreadyMade: this source, recipe and run has a version already (another worker was quicker).
    """
    lock_scans([source.scan_id])
    try:
        [version] = add_derivatives([Derived(source, made, recipe, by, agents, reference)])
    except IntegrityError as error:
        raise AlreadyMade(
            _(
                "Version %(source)s has a derivative of recipe %(recipe)s already; ask to make it again if you mean to."
            )
            % {"source": source.pk, "recipe": recipe.digest[:12]}
        ) from error
    return version


def register_recipe(recipe: ResolvedRecipe) -> Recipe:
    """The row of a resolved recipe; equal recipes are one row."""
    row, _created = Recipe.objects.get_or_create(
        digest=recipe.digest,
        defaults={"canonical": recipe.canonical().decode(), "operations": list(recipe.operations)},
    )
    return row


@transaction.atomic
def register_release(card: Card, file: StoredFile) -> ModelRelease:
    """Register a network's weights under the name and version on its card; doing it again changes nothing.

    Raises:
        ReleaseTaken: the same name and version stand for other weights already.
    """
    known = ModelRelease.objects.filter(file=file).first()
    if known is None:
        if taken := ModelRelease.objects.filter(name=card.name, version=card.version).first():
            raise ReleaseTaken(card.name, card.version, registered=taken.file_id, got=file.pk)
        known = ModelRelease.objects.create(
            name=card.name, version=card.version, file=file, card=card.to_dict()
        )
        record(
            Event.Type.INGESTION,
            about=[("outcome", file)],
            detail={"model": card.name, "version": card.version},
        )
    return known


def _next_number(scan: Scan) -> int:
    """The next version number; the caller holds the scan's row, so no two get the same."""
    newest = scan.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


def _dimensions(facts: Facts) -> dict[str, Any]:
    return {
        "width": facts.width,
        "height": facts.height,
        "bands": facts.bands,
        "bits": facts.bits,
        "technical": technical(facts),
    }


def technical(facts: Facts) -> dict[str, Any]:
    """The facts a page shows in its technical strip, as JSON."""
    return {
        "mime": facts.mime,
        "ppi": list(facts.ppi) if facts.ppi else None,
        "orientation": facts.orientation,
        "pages": facts.pages,
        "icc": icc_name(facts.icc) if facts.icc else None,
        "icc_bytes": len(facts.icc) if facts.icc else 0,
    }


def master_only(version: Version) -> Version:
    """Return the version if it is a master.

    Raises:
        NotAMaster: it is a derivative.
    """
    if not version.is_master:
        raise NotAMaster(_("Version %s is a derivative; choose the original scan.") % version.pk)
    return version


def icc_name(profile: bytes) -> str:
    """The profile's own description if it is plain to read, else its size; never a reason to refuse a picture."""
    for at in range(
        132, min(132 + 12 * 100, len(profile) - 11), 12
    ):  # the tag table: signature, offset, size
        if profile[at : at + 4] == b"desc":
            start, size = (int.from_bytes(profile[at + i : at + i + 4], "big") for i in (4, 8))
            text = _profile_text(profile[start : start + min(size, 400)])
            if text and text.isprintable():
                return text
    return _("ICC profile of %d bytes") % len(profile)


def _profile_text(tag: bytes) -> str:
    """A `desc` (ASCII) or `mluc` (UTF-16) tag of an ICC profile as text; empty where it is neither."""
    if tag[:4] == b"desc":
        return tag[12:].split(b"\x00", 1)[0].decode("ascii", errors="replace").strip()
    if tag[:4] == b"mluc" and len(tag) >= 28:
        length, start = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
        return tag[start : start + length].decode("utf-16-be", errors="replace").strip("\x00 ")
    return ""

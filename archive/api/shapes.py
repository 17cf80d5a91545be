"""Rows as JSON. Plain functions: the shapes are few, and they are the contract."""

import json
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from archive.accounts.permissions import Person, may_see_collection
from archive.catalogue.models import Collection, EventObject, Item, ModelRelease, Recipe, Scan, Version
from archive.jobs import progress
from archive.jobs.models import Job, JobItem, SavedRecipe, StandingOrder, Worker

AI_NOTICE = "This picture was made by an AI from a scan. It is an interpretation, not the original."


def collection(row: Collection, seen_by: Person) -> dict[str, Any]:
    """A collection; the one it lies in is named only to those who may see that, too."""
    named = row.parent is not None and may_see_collection(seen_by, row.parent)
    return {
        "id": str(row.pk),
        "ref": row.ref,
        "title": row.title,
        "level": row.level,
        "parent": row.parent.ref if row.parent and named else None,
        "description": row.description,
        "access": row.access,
        "effective_access": row.effective_access,
        "embargo_until": row.embargo_until,
        "ai_policy": row.ai_policy,
        "effective_ai_policy": row.effective_ai_policy,
        "items": getattr(row, "items_count", None),
    }


def item(row: Item) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "collection": row.collection.ref,
        "title": row.title,
        "description": row.description,
        "date": {
            "verbatim": row.date_verbatim,
            "edtf": row.date_edtf,
            "earliest": row.date_earliest,
            "latest": row.date_latest,
        },
        "sensitive": row.sensitive,
        "created": row.created,
        "page": reverse("catalogue:item", args=[row.pk]),
    }


def scan(row: Scan) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "item": str(row.item_id),
        "position": row.position,
        "label": row.label,
        "current_master": str(row.current_master_id) if row.current_master_id else None,
    }


def version(row: Version) -> dict[str, Any]:
    review = getattr(row, "review", None)
    return {
        "id": str(row.pk),
        "role": row.role,
        "ai": not row.is_master,
        "notice": None if row.is_master else AI_NOTICE,
        "number": row.number,
        "scan": str(row.scan_id),
        "derived_from": _id(row.derived_from_id),
        "reference": _id(row.reference_id),
        "recipe": row.recipe_id,
        "operations": row.operations,
        "run": row.run,
        "sha256": row.file_id,
        "media_type": row.file.media_type,
        "size": row.file.size,
        "condition": row.file.condition,
        "page": row.page,
        "width": row.width,
        "height": row.height,
        "bands": row.bands,
        "bits": row.bits,
        "review": review.state if review else None,
        "created": row.created,
        "iiif": reverse("iiif:info", args=[row.pk]),
    }


MEASURED = ("changed_share", "damaged_share", "psnr", "ssim", "trust")  # against the source


def provenance(row: Version, events: Iterable[EventObject], *, measured: bool) -> dict[str, Any]:
    """All that is known of how a version came to be, from rows; how much was changed only where it was `measured`
    against what the person may see."""
    source = row.derived_from
    return {
        "version": version(row),
        "source": {"id": str(source.pk), "sha256": source.file_id, "role": source.role} if source else None,
        "recipe": json.loads(row.recipe.canonical) if row.recipe else None,
        "recipe_digest": row.recipe_id,
        "report": {k: v for k, v in row.report.items() if measured or k not in MEASURED},
        "ordered_by": str(row.created_by) if row.created_by else None,
        "sidecars": {sidecar.kind: sidecar.file_id for sidecar in row.sidecars.all()},
        "events": [
            {
                "type": link.event.type,
                "at": link.event.at,
                "outcome": link.event.outcome,
                "role": link.role,
                "agents": [
                    {"role": a.role, "kind": a.agent.kind, "name": a.agent.name, "version": a.agent.version}
                    for a in link.event.agents_linked.all()
                ],
            }
            for link in events
        ],
    }


def job(row: Job) -> dict[str, Any]:
    state = progress.of(row)
    return {
        "id": str(row.pk),
        "title": row.title,
        "state": row.state,
        "note": row.state_note,
        "recipe": row.recipe_id,
        "preset": row.preset,
        "scope": row.scope,
        "ordered_by": str(row.ordered_by),
        "total": state.total,
        "counts": state.counts,
        "percent": state.percent,
        "expected": row.expected,
        "items_per_second": round(state.rate, 4) if state.rate else None,
        "remaining_seconds": state.remaining.total_seconds() if state.remaining else None,
        "remaining_between": [
            state.soonest.total_seconds() if state.soonest else None,
            state.latest.total_seconds() if state.latest else None,
        ],
        "estimate": row.estimate,
        "mode": row.mode,
        "run": row.run,
        "hours": [row.hours_from, row.hours_to] if row.hours_from else None,
        "created": row.created,
        "started": row.started,
        "ended": row.ended,
    }


def job_item(row: JobItem) -> dict[str, Any]:
    return {
        "id": row.pk,
        "source": str(row.source_id),
        "state": row.state,
        "code": row.code,
        "sentence": row.sentence,
        "tries": row.tries,
        "sample": row.sample,
        "seconds": row.seconds,
        "tiles": [row.tiles_done, row.tiles_total],
        "result": _id(row.result_id),
        "attempts": [
            {
                "number": a.number,
                "worker": a.worker_name,
                "device": a.device,
                "started": a.started,
                "ended": a.ended,
                "outcome": a.outcome,
                "code": a.code,
                "sentence": a.sentence,
                "seconds": a.seconds,
                "log": a.log,
            }
            for a in row.attempts.all()
        ],
    }


def recipe(row: Recipe) -> dict[str, Any]:
    return {"digest": row.digest, "operations": row.operations, "recipe": json.loads(row.canonical)}


def saved_recipe(row: SavedRecipe) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "note": row.note,
        "digest": row.recipe_id,
        "operations": row.recipe.operations,
        "recipe": json.loads(row.recipe.canonical),
        "reference": _id(row.reference_id),
        "saved": row.saved,
        "saved_by": str(row.saved_by),
        "removed": row.removed,
    }


def standing_order(row: StandingOrder) -> dict[str, Any]:
    return {
        "id": row.pk,
        "collection": row.collection.ref,
        "recipe": row.preset,
        "state": "ended" if row.ended else "standing" if row.enabled else "paused",
        "note": row.note,
        "hour": row.hour,
        "hours": [row.hours_from, row.hours_to] if row.hours_from else None,
        "since": row.since,
        "looked": row.looked,
        "ordered_by": str(row.ordered_by),
        "created": row.created,
        "ended": row.ended,
    }


def release(row: ModelRelease) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "version": row.version,
        "sha256": row.file_id,
        "card": row.card,
    }


def worker(row: Worker) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "kind": row.kind,
        "device": row.device,
        "last_seen": row.last_seen,
        "current_item": row.current_item_id,
        "last_error": row.last_error,
        "memory": row.memory,
        "networks": row.networks,
        "made": row.made,
        "resting_until": row.resting_until,
        "resting_why": row.resting_why,
    }


def _id(value: object) -> str | None:
    return str(value) if value else None

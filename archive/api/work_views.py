"""Uploads, jobs, recipes, models and workers over REST."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.accounts import permissions
from archive.accounts.models import User
from archive.api import shapes
from archive.api.catalogue_views import ANY, fields, person
from archive.api.lists import listing
from archive.catalogue import queries
from archive.catalogue.models import ModelRelease, Version
from archive.ingest import services as ingest
from archive.ingest.models import Upload
from archive.ingest.tray import receipt
from archive.jobs import masks
from archive.jobs import services as jobs
from archive.jobs.models import Job, JobItem, Worker


def upload_shape(row: Upload, request: Request) -> dict[str, Any]:
    """A receipt, with the scans and versions of the item for programs that go on from here."""
    said = receipt(row, person(request))
    versions = []
    if said["item"] and row.state == Upload.State.CATALOGUED:
        versions = list(
            Version.objects.filter(scan__item=row.item_id, file=row.file_id).order_by("scan__position")
        )
    return said | {
        "item": said["item"]["id"] if said["item"] else None,
        "scans": [str(version.scan_id) for version in versions],
        "versions": [str(version.pk) for version in versions],
    }


class Uploads(APIView):
    parser_classes = (MultiPartParser,)

    @extend_schema(responses={201: dict})
    def post(self, request: Request) -> Response:
        by = person(request)
        form = request._request.POST
        into = queries.collections_for(by).filter(ref=form.get("collection", "")).first()
        if into is None or not permissions.may_upload(by, into):
            raise Http404
        file = request.FILES.get("file")
        choice = form.get("on_duplicate", Upload.OnDuplicate.ASK)
        if not isinstance(file, TemporaryUploadedFile):
            raise ValidationError({"file": "expected one file"})
        if choice not in Upload.OnDuplicate.values:
            raise ValidationError({"on_duplicate": f"expected one of {', '.join(Upload.OnDuplicate.values)}"})
        row = ingest.receive(
            _path(file), filename=file.name or "", collection=into, by=by, on_duplicate=choice, given=True
        )
        return Response(upload_shape(row, request), status=201)


class OneUpload(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, upload_id: UUID) -> Response:
        row = (
            Upload.objects.select_related("item__collection").filter(pk=upload_id, by=person(request)).first()
        )
        if row is None:
            raise Http404
        return Response(upload_shape(row, request))


class Jobs(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        rows = Job.objects.filter(permissions.visible_jobs(person(request))).select_related("ordered_by")
        return listing(rows, request, shapes.job)

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        by = person(request)
        if not permissions.may_order_at_all(by):
            raise Http404
        data = fields(request, {"scope", "recipe", "reference", "again", "where", "areas", *TERMS})
        if not isinstance(data.get("scope"), dict) or not isinstance(data.get("recipe"), str | dict):
            raise ValidationError({"scope": "a scope and a recipe are needed"})
        where, areas = masks.parse(data.get("where"), data.get("areas"))
        job = jobs.order(
            jobs.Scope.parse(data["scope"]), data["recipe"], by=by, again=data.get("again") is True,
            reference=style_picture(data.get("reference"), by),
            mask=masks.Mask(where, areas) if areas else None, terms=terms_of(data),
        )  # fmt: skip
        return Response(shapes.job(job), status=201)


def style_picture(value: Any, by: User) -> Version | None:
    """The style picture of an order: a version its orderer may see. Raises Http404 for any other."""
    if value is None:
        return None
    try:
        wanted = UUID(str(value))
    except ValueError as error:
        raise ValidationError({"reference": f"expected the id of a version, got {value!r}"}) from error
    return get_object_or_404(Version.objects.filter(permissions.visible_versions(by)), pk=wanted)


TERMS = {"sample", "auto_start", "mode", "with_sensitive", "hours", "stop_after", "stop_share", "allow_cpu"}


def terms_of(data: Mapping[str, Any]) -> jobs.Terms:
    """The terms of an order: `{"sample": 12, "hours": ["22:00", "06:00"], "stop_after": 10, …}`."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "sample": int, "stop_after": int, "mode": str, "auto_start": bool, "with_sensitive": bool,
        "allow_cpu": bool, "stop_share": (int, float),
    }  # fmt: skip
    given = {name: data[name] for name in TERMS if data.get(name) is not None}
    for name, value in given.items():
        fits = name == "hours" or isinstance(value, kinds[name])
        if not fits or (isinstance(value, bool) and kinds.get(name) is not bool):
            raise ValidationError({name: f"not {value!r}"})
    if "hours" in given:
        given["hours"] = hours_of(given["hours"])
    return jobs.Terms(**given)


def hours_of(value: Any) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(text) for text in value)
    except (TypeError, ValueError) as error:
        raise ValidationError({"hours": 'expected two times of day, such as ["22:00", "06:00"]'}) from error
    return start, end


def job_of(request: Request, job_id: UUID) -> Job:
    """A job the person may see, or 404."""
    row = (
        Job.objects.filter(permissions.visible_jobs(person(request)), pk=job_id)
        .select_related("ordered_by")
        .first()
    )
    if row is None:
        raise Http404
    return row


class OneJob(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(shapes.job(job_of(request, job_id)))


class JobItems(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, job_id: UUID) -> Response:
        rows = job_of(request, job_id).items.prefetch_related("attempts")
        if state := request.query_params.get("state"):
            if state not in JobItem.State.values:
                raise ValidationError({"state": f"expected one of {', '.join(JobItem.State.values)}"})
            rows = rows.filter(state=state)
        return listing(rows, request, shapes.job_item)


class SteerJob(APIView):
    @extend_schema(request=dict, responses=ANY)
    def post(self, request: Request, job_id: UUID, action: str) -> Response:
        job, by = job_of(request, job_id), person(request)
        if not permissions.may_steer_job(by, job.ordered_by_id):
            raise Http404
        data = fields(request, {"items", "note"})
        note = str(data.get("note", ""))
        if action == "pause":
            jobs.pause(job, by=by, note=note)
        elif action == "start":
            jobs.start(job, by=by)
        elif action == "resume":
            jobs.resume(job, by=by)
        elif action == "cancel":
            jobs.cancel(job, by=by, note=note)
        elif action == "retry":
            jobs.retry(job, by=by, items=_whole_numbers(data.get("items")))
        elif action == "undo" and permissions.is_admin(by):
            jobs.undo(job, by=by)
        else:
            raise Http404
        return Response(shapes.job(job_of(request, job_id)))


class Models(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        return listing(ModelRelease.objects.all(), request, shapes.release)


class Workers(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        if not permissions.is_admin(person(request)):
            raise Http404
        return listing(Worker.objects.filter(stopped=None), request, shapes.worker)


def _path(file: TemporaryUploadedFile) -> Path:
    return Path(file.temporary_file_path())


def _whole_numbers(values: Any) -> list[int] | None:
    if values is None:
        return None
    if not isinstance(values, list) or not all(
        isinstance(v, int) and not isinstance(v, bool) for v in values
    ):
        raise ValidationError({"items": "expected a list of item ids, or null for all"})
    return values

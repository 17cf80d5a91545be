"""Collections, items, scans, versions and search over REST. Every rule lives in services, queries and permissions."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.accounts import permissions
from archive.accounts.models import User
from archive.api import shapes
from archive.api.lists import key, limit_of, listing
from archive.catalogue import queries, services
from archive.catalogue.models import Collection, Event, Item, Scan, Version
from archive.catalogue.search.finding import Finder, in_order
from archive.catalogue.search.wanted import Wanted
from archive.iiif.files import file_name, send
from archive.review import kin
from archive.review.services import decide

ANY = {200: dict[str, Any]}
CHANGEABLE = {"title", "description", "level", "access", "embargo_until", "ai_policy"}


def person(request: Request) -> User:
    """The signed-in person. Raises NotAuthenticated."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def fields(request: Request, known: set[str]) -> dict[str, Any]:
    """The body as a mapping of known names. Raises ValidationError."""
    data = request.data
    if not isinstance(data, dict):
        raise ValidationError({"body": "expected an object"})
    if unknown := sorted(set(data) - known):
        raise ValidationError(dict.fromkeys(unknown, "is not known here"))
    return dict(data)


class Collections(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        rows = queries.collections_for(request.user)
        return listing(rows, request, lambda row: shapes.collection(row, request.user))

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        by = person(request)
        if not permissions.is_admin(by):
            raise Http404
        data = fields(request, {"ref", "parent", *CHANGEABLE})
        ref, parent = data.pop("ref", None), data.pop("parent", None)
        if not isinstance(ref, str) or not isinstance(data.get("title"), str):
            raise ValidationError({"ref": "a reference and a title are needed"})
        above = Collection.objects.filter(ref=str(parent)).first() if parent else None
        if parent and above is None:
            raise ValidationError({"parent": f"there is no collection {str(parent)[:80]!r}"})
        made = services.create_collection(ref, title=data.pop("title"), by=by, parent=above, **data)
        return Response(shapes.collection(made, by), status=201)


class OneCollection(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, ref: str) -> Response:
        return Response(shapes.collection(self._found(request, ref), request.user))

    @extend_schema(request=dict, responses=ANY)
    def patch(self, request: Request, ref: str) -> Response:
        found = self._found(request, ref)
        by = person(request)
        if not permissions.may_administer_collection(by, found):
            raise Http404
        data = fields(request, CHANGEABLE)
        return Response(shapes.collection(services.change_collection(found, by=by, **data), by))

    def _found(self, request: Request, ref: str) -> Collection:
        found = queries.collections_for(request.user).filter(ref=ref).first()
        if found is None:
            raise Http404
        return found


class Items(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        within = None
        if ref := request.query_params.get("collection"):
            within = queries.collections_for(request.user).filter(ref=ref).first()
            if within is None:
                raise Http404
        return listing(queries.items_for(request.user, within=within), request, shapes.item)

    @extend_schema(request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        by = person(request)
        data = fields(request, {"collection", "description", "date"})
        into = queries.collections_for(by).filter(ref=str(data.get("collection"))).first()
        if into is None or not permissions.may_describe(by, into):
            raise Http404
        made = services.create_item(
            into, description=data.get("description") or {}, by=by, date=data.get("date", "")
        )
        return Response(shapes.item(made), status=201)


class OneItem(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, item_id: UUID) -> Response:
        found = self._found(request, item_id)
        scans = Scan.objects.filter(item=found).order_by("position")
        return Response(shapes.item(found) | {"scans": [shapes.scan(scan) for scan in scans]})

    @extend_schema(request=dict, responses=ANY)
    def patch(self, request: Request, item_id: UUID) -> Response:
        found, by = self._found(request, item_id), person(request)
        if not permissions.may_describe(by, found.collection):
            raise Http404
        data = fields(request, {"description", "date"})
        changed = services.describe(found, by=by, description=data.get("description"), date=data.get("date"))
        return Response(shapes.item(changed))

    def _found(self, request: Request, item_id: UUID) -> Item:
        found = queries.items_for(request.user).filter(pk=item_id).first()
        if found is None:
            raise Http404
        return found


class Scans(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        rows = Scan.objects.filter(item__in=Item.objects.filter(permissions.visible_items(request.user)))
        if text := request.query_params.get("item"):
            rows = rows.filter(item=key(text, "item"))
        return listing(rows, request, shapes.scan)


class Versions(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        rows = Version.objects.filter(permissions.visible_versions(request.user)).select_related(
            "file", "review", "recipe"
        )
        asked = request.query_params
        if ref := asked.get("collection"):
            within = queries.collections_for(request.user).filter(ref=ref).first()
            if within is None:
                raise Http404
            rows = rows.filter(scan__item__collection__path__contains=[within.pk])
        if role := asked.get("role"):
            rows = rows.filter(role=role)
        if text := asked.get("item"):
            rows = rows.filter(scan__item=key(text, "item"))
        return listing(rows, request, shapes.version)


def version_of(request: Request, version_id: UUID) -> Version:
    """A version the person may see, or 404."""
    found = queries.version_for(request.user, version_id)
    if found is None:
        raise Http404
    return found


class OneVersion(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, version_id: UUID) -> Response:
        return Response(shapes.version(version_of(request, version_id)))


class VersionFile(APIView):
    @extend_schema(responses={200: bytes})
    def get(self, request: Request, version_id: UUID) -> HttpResponseBase:
        found = version_of(request, version_id)
        return send(request._request, found.file, name=file_name(found))


class VersionDownload(APIView):
    @extend_schema(responses={200: bytes})
    def get(self, request: Request, version_id: UUID) -> HttpResponseBase:
        found = version_of(request, version_id)
        name = file_name(found)
        response = send(request._request, found.file, name=name)
        if response.status_code in {200, 302}:
            by = services.agent_of(request.user) if isinstance(request.user, User) else []
            services.record(Event.Type.EXPORT, about=[("source", found)], by=by, detail={"name": name})
        return response


class VersionChangeMap(APIView):
    @extend_schema(responses={200: bytes})
    def get(self, request: Request, version_id: UUID) -> HttpResponseBase:
        found = version_of(request, version_id)
        kept = next((s for s in found.sidecars.all() if s.kind == "change_map"), None)
        if kept is None or not queries.source_shown(request.user, found):
            raise Http404
        return send(request._request, kept.file, name=f"{found.pk}.change.png", inline=True)


class VersionProvenance(APIView):
    @extend_schema(responses=ANY)
    def get(self, request: Request, version_id: UUID) -> Response:
        found = version_of(request, version_id)
        links = found.event_links.select_related("event").prefetch_related("event__agents_linked__agent")
        measured = queries.source_shown(request.user, found)
        return Response(shapes.provenance(found, links, measured=measured))


class VersionReview(APIView):
    @extend_schema(request=dict, responses=ANY)
    def post(self, request: Request, version_id: UUID) -> Response:
        found, by = version_of(request, version_id), person(request)
        if not permissions.may_review(by, found.scan.item.collection):
            raise Http404
        data = fields(request, {"decision", "note"})
        decision = str(data.get("decision", ""))
        decide(found, decision, by=by, note=str(data.get("note", "")))
        remarks = kin.of([found])[found.pk].after(decision)
        return Response(shapes.version(version_of(request, version_id)) | {"remarks": remarks})


class Search(APIView):
    """As the pages: `?q=&in=&type=&place=&rights=&made=&model=&review=&from=&to=&sort=`, with counts per facet."""

    @extend_schema(responses=ANY)
    def get(self, request: Request) -> Response:
        wanted = Wanted.parse(request._request.GET)
        try:
            finder = Finder(request.user, wanted)
        except Collection.DoesNotExist as error:
            raise Http404 from error
        size = limit_of(request)
        found = finder.find(after=request.query_params.get("after", "")[:400], size=size)
        items = in_order(Item.objects.filter(pk__in=found.ids).select_related("collection"), found.ids)
        following = f"{request.path}?{wanted.query(after=found.next, limit=size)}" if found.next else None
        facets = {
            name: [{"value": v, "count": n} for v, n in values] for name, values in found.counts.items()
        }
        return Response(
            {
                "results": [shapes.item(item) for item in items],
                "next": request.build_absolute_uri(following) if following else None,
                "total": found.total,
                "facets": facets
                | {
                    "collections": [{"value": c.ref, "count": n} for c, n in found.collections],
                    "years": [{"from": b.first, "to": b.last, "count": b.count} for b in found.bars],
                },
            }
        )

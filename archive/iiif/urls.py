"""Addresses of pictures: IIIF images, difference images, thumbnails, and the compare page."""

from django.urls import path

from archive.iiif import pages, presentation_views, views

app_name = "iiif"

_IMAGE = "<str:region>/<str:size>/<str:rotation>/<str:quality>.<str:extension>"
_DIFFERENCE = {"kind": "difference"}

urlpatterns = [
    path("iiif/3/<uuid:version_id>/", views.base, name="image"),
    path("iiif/3/<uuid:version_id>", views.base),
    path("iiif/3/<uuid:version_id>/info.json", views.info, name="info"),
    path(f"iiif/3/<uuid:version_id>/{_IMAGE}", views.image, name="region"),
    path("iiif/difference/<uuid:version_id>/", views.base, _DIFFERENCE, name="difference"),
    path("iiif/difference/<uuid:version_id>/info.json", views.info, _DIFFERENCE, name="difference-info"),
    path(f"iiif/difference/<uuid:version_id>/{_IMAGE}", views.image, _DIFFERENCE),
    path("iiif/presentation/3/items/<uuid:item_id>/manifest", presentation_views.manifest, name="manifest"),
    path("iiif/presentation/3/collections/", presentation_views.root, name="collections"),
    path("iiif/presentation/3/collections/<str:ref>", presentation_views.collection, name="collection"),
    path("thumbnails/<uuid:version_id>/<int:width>.<str:extension>", views.thumbnail, name="thumbnail"),
    path("compare/<uuid:version_id>/", pages.compare, name="compare"),
]

"""Addresses of the catalogue's pages."""

from django.urls import path

from archive.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.home, name="home"),
    path("collections/", views.collections, name="collections"),
    path("collections/<str:ref>/", views.collection, name="collection"),
    path("items/<uuid:item_id>/", views.item, name="item"),
    path("versions/<uuid:version_id>/", views.version, name="version"),
    path("versions/<uuid:version_id>/file", views.version_file, name="file"),
    path("versions/<uuid:version_id>/<slug:kind>.png", views.sidecar, name="sidecar"),
]

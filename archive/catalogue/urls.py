"""Addresses of the catalogue's pages."""

from django.urls import path

from archive.catalogue import describe_views, find_views, sheet_views, views

app_name = "catalogue"
urlpatterns = [
    path("", find_views.home, name="home"),
    path("collections/", views.collections, name="collections"),
    path("collections/<str:ref>/", find_views.collection, name="collection"),
    path("searches/", find_views.searches, name="searches"),
    path("searches/new", find_views.save_search, name="save-search"),
    path("searches/<uuid:search_id>/", find_views.search, name="search"),
    path("searches/<uuid:search_id>/forget", find_views.forget_search, name="forget-search"),
    path("collections/<str:ref>/table/", describe_views.table, name="table"),
    path("items/<uuid:item_id>/describe/", describe_views.describe, name="describe"),
    path("collections/<str:ref>/sheets/", sheet_views.sheets, name="sheets"),
    path("collections/<str:ref>/items.<slug:extension>", sheet_views.export, name="export"),
    path("sheets/<uuid:sheet_id>/", sheet_views.sheet, name="sheet"),
    path("sheets/<uuid:sheet_id>/problems.csv", sheet_views.sheet_problems, name="sheet-problems"),
    path("edits/<uuid:edit_id>/undo", sheet_views.undo_edit, name="undo-edit"),
    path("items/<uuid:item_id>/", views.item, name="item"),
    path("versions/<uuid:version_id>/", views.version, name="version"),
    path("versions/<uuid:version_id>/file", views.version_file, name="file"),
    path("versions/<uuid:version_id>/<slug:kind>.png", views.sidecar, name="sidecar"),
]

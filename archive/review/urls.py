"""Addresses of reviewing."""

from django.urls import path

from archive.review import views

app_name = "review"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("review/pairs/", views.pairs, name="pairs"),
    path("review/sheet/", views.sheet, name="sheet"),
    path("review/undo/", views.undo, name="undo"),
    path("versions/<uuid:version_id>/review/", views.decide, name="decide"),
]

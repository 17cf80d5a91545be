"""Addresses of reviewing."""

from django.urls import path

from archive.review import views

app_name = "review"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("versions/<uuid:version_id>/review/", views.decide, name="decide"),
]

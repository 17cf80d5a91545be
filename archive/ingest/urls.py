"""Addresses of the upload page."""

from django.urls import path

from archive.ingest import views

app_name = "ingest"
urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("upload/<uuid:upload_id>/", views.status, name="status"),
    path("upload/<uuid:upload_id>/duplicate/", views.duplicate, name="duplicate"),
]

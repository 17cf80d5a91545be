"""Addresses of the upload page."""

from django.urls import path

from archive.ingest import batch_views, tray, views

app_name = "ingest"
urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("upload/check/", tray.check, name="check"),
    path("upload/use/", tray.use, name="use"),
    path("upload/states/", tray.states, name="states"),
    path("upload/batches/<uuid:batch>/", batch_views.describe, name="batch"),
    path("upload/<uuid:upload_id>/", tray.status, name="status"),
    path("upload/<uuid:upload_id>/duplicate/", views.duplicate, name="duplicate"),
]

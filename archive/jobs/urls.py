"""Addresses of jobs."""

from django.urls import path

from archive.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.jobs, name="list"),
    path("new/", views.new, name="new"),
    path("preview/", views.preview, name="preview"),
    path("<uuid:job_id>/", views.job, name="job"),
    path("<uuid:job_id>/progress/", views.live, name="progress"),
    path("<uuid:job_id>/<slug:action>/", views.steer, name="steer"),
]

"""Addresses for machines that look after the archive."""

from django.urls import path

from archive.system import views

app_name = "system"
urlpatterns = [
    path("system/", views.status, name="status"),
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("metrics", views.figures, name="metrics"),
]

"""Every address of the archive. Each app names its own; this file only gathers them."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("archive.system.urls")),
    path("admin/", admin.site.urls),
]

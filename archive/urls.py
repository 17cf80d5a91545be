"""Every address of the archive. Each app names its own; this file only gathers them."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("archive.system.urls")),
    path("", include("archive.catalogue.urls")),
    path("", include("archive.iiif.urls")),
    path("", include("archive.ingest.urls")),
    path("", include("archive.review.urls")),
    path("", include("archive.proofs.urls")),
    path("exhibits/", include("archive.exhibits.urls")),
    path("jobs/", include("archive.jobs.urls")),
    path("accounts/", include("archive.accounts.urls")),
    path("api/v1/", include("archive.api.urls")),
    path("i18n/words.js", JavaScriptCatalog.as_view(), name="words"),
    path("admin/", RedirectView.as_view(pattern_name="accounts:people"), name="admin"),
]

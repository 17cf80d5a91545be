"""Addresses of the API, as the contract lists them."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from archive.api import catalogue_views as catalogue
from archive.api import exhibit_views as exhibits
from archive.api import preview_views as previews
from archive.api import recipe_views as recipes
from archive.api import standing_views as standing
from archive.api import tus
from archive.api import work_views as work

app_name = "api"
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    path("collections/", catalogue.Collections.as_view(), name="collections"),
    path("collections/<str:ref>/", catalogue.OneCollection.as_view(), name="collection"),
    path("items/", catalogue.Items.as_view(), name="items"),
    path("items/<uuid:item_id>/", catalogue.OneItem.as_view(), name="item"),
    path("scans/", catalogue.Scans.as_view(), name="scans"),
    path("versions/", catalogue.Versions.as_view(), name="versions"),
    path("versions/<uuid:version_id>/", catalogue.OneVersion.as_view(), name="version"),
    path("versions/<uuid:version_id>/file", catalogue.VersionFile.as_view(), name="version-file"),
    path("versions/<uuid:version_id>/download", catalogue.VersionDownload.as_view(), name="version-download"),
    path(
        "versions/<uuid:version_id>/change-map",
        catalogue.VersionChangeMap.as_view(),
        name="version-change-map",
    ),
    path(
        "versions/<uuid:version_id>/provenance",
        catalogue.VersionProvenance.as_view(),
        name="version-provenance",
    ),
    path("versions/<uuid:version_id>/review", catalogue.VersionReview.as_view(), name="version-review"),
    path("search/", catalogue.Search.as_view(), name="search"),
    path("uploads/", work.Uploads.as_view(), name="uploads"),
    path("uploads/tus/", tus.Uploads.as_view(), name="tus"),
    path("uploads/tus/<uuid:upload_id>/", tus.OneUpload.as_view(), name="tus-upload"),
    path("uploads/<uuid:upload_id>/", work.OneUpload.as_view(), name="upload"),
    path("jobs/", work.Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:job_id>/", work.OneJob.as_view(), name="job"),
    path("jobs/<uuid:job_id>/items/", work.JobItems.as_view(), name="job-items"),
    path("jobs/<uuid:job_id>/<slug:action>", work.SteerJob.as_view(), name="steer-job"),
    path("standing-orders/", standing.StandingOrders.as_view(), name="standing-orders"),
    path("standing-orders/<int:order_id>/", standing.OneStandingOrder.as_view(), name="standing-order"),
    path(
        "standing-orders/<int:order_id>/<slug:action>",
        standing.SteerStandingOrder.as_view(),
        name="steer-standing-order",
    ),
    path("previews/", previews.Previews.as_view(), name="previews"),
    path("previews/<slug:preview_id>/", previews.OnePreview.as_view(), name="preview"),
    path("previews/<slug:preview_id>/<slug:kind>", previews.PreviewPicture.as_view(), name="preview-picture"),
    path("exhibits/", exhibits.Exhibits.as_view(), name="exhibits"),
    path("exhibits/<str:slug>/", exhibits.OneExhibit.as_view(), name="exhibit"),
    path("recipes/", recipes.Recipes.as_view(), name="recipes"),
    path("recipes/<uuid:recipe_id>/", recipes.OneRecipe.as_view(), name="recipe"),
    path("models/", work.Models.as_view(), name="models"),
    path("workers/", work.Workers.as_view(), name="workers"),
]

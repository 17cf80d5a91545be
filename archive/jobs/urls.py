"""Addresses of jobs."""

from django.urls import path

from archive.jobs import saved_views, standing_views, views, watching

app_name = "jobs"
urlpatterns = [
    path("", watching.jobs, name="list"),
    path("new/", views.new, name="new"),
    path("check/", views.check, name="check"),
    path("preview/", views.preview, name="preview"),
    path("recipes/", saved_views.recipes, name="recipes"),
    path("recipes/save/", saved_views.save, name="save-recipe"),
    path("recipes/<uuid:recipe_id>/remove/", saved_views.remove, name="remove-recipe"),
    path("standing/", standing_views.standing, name="standing"),
    path("standing/<int:order_id>/<slug:action>/", standing_views.act, name="standing-act"),
    path("<uuid:job_id>/", watching.job, name="job"),
    path("<uuid:job_id>/progress/", watching.live, name="progress"),
    path("<uuid:job_id>/buttons/", watching.buttons, name="buttons"),
    path("<uuid:job_id>/items.csv", watching.listed, name="csv"),
    path("<uuid:job_id>/items/<int:item_id>/", watching.item, name="item"),
    path("<uuid:job_id>/sheet/", watching.sheet, name="sheet"),
    path("<uuid:job_id>/undoing/", watching.undoing, name="undoing"),
    path("<uuid:job_id>/<slug:action>/", watching.steer, name="steer"),
]

"""Addresses of reviewing."""

from django.urls import path

from archive.review import views
from archive.review.trials import views as trials

app_name = "review"
urlpatterns = [
    path("review/", views.queue, name="queue"),
    path("review/pairs/", views.pairs, name="pairs"),
    path("review/sheet/", views.sheet, name="sheet"),
    path("review/undo/", views.undo, name="undo"),
    path("review/trials/", trials.trials, name="trials"),
    path("review/trials/new/", trials.new, name="new-trial"),
    path("review/trials/<uuid:trial_id>/", trials.trial, name="trial"),
    path("review/trials/<uuid:trial_id>/votes.csv", trials.votes, name="trial-votes"),
    path("review/trials/<uuid:trial_id>/judge/", trials.judge, name="judge"),
    path("review/trials/<uuid:trial_id>/judge/undo/", trials.undo, name="undo-vote"),
    path("review/trials/<uuid:trial_id>/judge/finish/", trials.finish, name="finish-trial"),
    path("review/trials/<uuid:trial_id>/close/", trials.close, name="close-trial"),
    path("versions/<uuid:version_id>/review/", views.decide, name="decide"),
]

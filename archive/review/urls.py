"""Addresses of reviewing."""

from django.urls import path

from archive.review import views
from archive.review.trials import pictures
from archive.review.trials import views as trials

app_name = "review"
_PICTURE = "review/trials/<uuid:trial_id>/pictures/<int:pair_id>/<str:side>"
_PART = "<str:region>/<str:size>/<str:rotation>/<str:quality>.<str:extension>"

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
    path(f"{_PICTURE}/info.json", pictures.info, name="trial-info"),
    path(f"{_PICTURE}/{_PART}", pictures.image, name="trial-picture"),
    path(f"{_PICTURE}/<int:width>.<str:extension>", pictures.thumbnail, name="trial-thumbnail"),
    path("versions/<uuid:version_id>/review/", views.decide, name="decide"),
]

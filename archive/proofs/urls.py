"""Addresses of proofs."""

from django.urls import path

from archive.proofs import views

app_name = "proofs"
urlpatterns = [
    path("versions/<uuid:version_id>/proofs/", views.proofs, name="proofs"),
    path("versions/<uuid:version_id>/proofs/cards/", views.cards, name="cards"),
    path("versions/<uuid:version_id>/proofs/styles/", views.styles, name="styles"),
    path("versions/<uuid:version_id>/proofs/<int:proof_id>.webp", views.picture, name="picture"),
]

"""Addresses of exhibits."""

from django.urls import path

from archive.exhibits import views

app_name = "exhibits"
urlpatterns = [
    path("", views.exhibits, name="list"),
    path("new/", views.new, name="new"),
    path("<str:slug>/", views.exhibit, name="exhibit"),
    path("<str:slug>/edit/", views.edit, name="edit"),
    path("<str:slug>/find/", views.find, name="find"),
]

"""Signing in and out; who may do what in a collection."""

from django.contrib.auth import views
from django.urls import path

from archive.accounts import people_views as people
from archive.accounts import views as access
from archive.accounts.signing_in import SignIn

app_name = "accounts"
urlpatterns = [
    path(
        "login/",
        views.LoginView.as_view(
            template_name="accounts/login.html",
            redirect_authenticated_user=True,
            authentication_form=SignIn,
        ),
        name="login",
    ),
    path("access/<str:ref>/", access.collection_access, name="access"),
    path("view-as/", access.begin_view_as, name="view-as"),
    path("view-as/stop/", access.stop_view_as, name="view-as-stop"),
    path("own/", people.Own.as_view(), name="own"),
    path("people/", people.people, name="people"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("password/<str:uidb64>/<str:token>/", people.ChoosePassword.as_view(), name="choose-password"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
]

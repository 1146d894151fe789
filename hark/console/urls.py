"""All addresses of the console."""

from __future__ import annotations

from django.urls import path

from hark.console.pages import signin

urlpatterns = [
    path("sign-in", signin.SignIn.as_view(), name="sign-in"),
    path("sign-out", signin.SignOut.as_view(), name="sign-out"),
    path("welcome/<str:token>", signin.welcome, name="welcome"),
]

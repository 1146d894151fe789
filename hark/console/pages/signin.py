"""Signing in and out, and the first account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, password_validation, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from hark.console.accounts import welcome as invitation
from hark.console.accounts.models import Account
from hark.console.accounts.throttle import Throttle

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
throttle = Throttle()


class SignInForm(AuthenticationForm):
    """Address and password, heard only as long as neither the visitor nor the account is held back."""

    def clean(self) -> dict[str, Any]:
        now = settings.HARK_CLOCK.now()
        names = self._names()
        if any(throttle.held(name, now) for name in names):
            raise ValidationError("Too many tries. Wait five minutes and try again.", code="throttled")
        try:
            found = super().clean()
        except ValidationError:
            for name in names:
                throttle.failed(name, now)
            raise
        for name in names:
            throttle.forget(name)
        return found

    def _names(self) -> list[str]:
        assert self.request is not None
        return [f"from {visitor(self.request)}", f"as {str(self.cleaned_data.get('username')).lower()}"]


class SignIn(views.LoginView):
    template_name = "console/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """Signs out by POST."""


class WelcomeForm(forms.Form):
    """What the first account needs."""

    email = forms.EmailField(label="E-mail", max_length=254)
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if "password" in found:
            try:
                password_validation.validate_password(
                    found["password"], Account(email=found.get("email", ""))
                )
            except ValidationError as error:
                self.add_error("password", error)
        return found


@login_not_required
@sensitive_post_parameters()
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The one-time link: a form, then the first account, signed in. 404 once it is used."""
    if not invitation.good(token):
        raise Http404
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = invitation.accept(token, form.cleaned_data["email"], form.cleaned_data["password"])
        if account is None:
            raise Http404
        invitation.forget(settings.HARK_DATA)
        login(request, account, backend=MODEL_BACKEND)
        return redirect("/")
    return render(request, "console/welcome.html", {"form": form})


def visitor(request: HttpRequest) -> str:
    """The visitor's network address: the last one that a proxy of ours wrote down."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")

"""Django's settings, from code: what a data directory and a public address decide, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import django_htmx
import plotly
from django.conf import settings

from hark.clock import Clock
from hark.settings import read
from hark.speak.keyfile import open_keys

HERE = Path(__file__).parent
FOLDERS = {
    "console": HERE / "static" / "console",
    "htmx": Path(django_htmx.__file__).parent / "static" / "django_htmx",
    "plotly": Path(plotly.__file__).parent / "package_data",
}
"""Static files by URL prefix, served from the packages that ship them."""

SESSION_S = 14 * 24 * 3600


def configure(data: Path, clock: Clock, url: str) -> None:
    """Configure and load Django once per process; sending mail may have asked it for its defaults before."""
    if not settings.configured:
        settings.configure()
    for name, value in values(data, clock, url).items():
        setattr(settings, name, value)
    django.setup()
    from hark.console.source import Source

    settings.HARK_SOURCE = Source(data, clock, settings.HARK_URL)


def values(data: Path, clock: Clock, url: str) -> dict[str, Any]:
    """All settings. Sessions are signed by keys derived from DIR/secret.key, so they outlive a restart."""
    keys = [_derived(key.secret) for key in reversed(open_keys(data))]
    return {
        **_accounts(),
        **_security(secure=url.startswith("https://")),
        "HARK_DATA": data,
        "HARK_CLOCK": clock,
        "HARK_URL": url.rstrip("/"),
        "HARK_ZONE": read(data).zone,
        "SECRET_KEY": keys[0],
        "SECRET_KEY_FALLBACKS": keys[1:],
        "DEBUG": False,
        # Whoever reaches the socket came through collect; sessions are bound to the host by their cookie.
        "ALLOWED_HOSTS": ["*"],
        "ROOT_URLCONF": "hark.console.urls",
        "INSTALLED_APPS": _APPS,
        "MIDDLEWARE": _MIDDLEWARE,
        "TEMPLATES": [_templates()],
        "DATABASES": {"default": _database(data)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "APPEND_SLASH": False,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "USE_I18N": False,
        "STATIC_URL": f"/static/{digest()}/",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 12_000_000,
        "CSRF_FAILURE_VIEW": "hark.console.pages.errors.forbidden",
        "LOGGING": _LOGGING,
    }


def _accounts() -> dict[str, Any]:
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        # Memory-hard, and a tenth of the processor time that collect would miss.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [{"NAME": name} for name in _VALIDATORS],
        "LOGIN_URL": "/sign-in",
        "LOGIN_REDIRECT_URL": "/",
        "LOGOUT_REDIRECT_URL": "/sign-in",
    }


def _security(secure: bool) -> dict[str, Any]:
    return {
        "USE_X_FORWARDED_HOST": True,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SESSION_COOKIE_AGE": SESSION_S,
        "SESSION_COOKIE_NAME": "hark_session",
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_NAME": "hark_csrf",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_COOKIE_HTTPONLY": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
    }


_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "console: %(levelname)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Every 404 and refused sign-in would be a line otherwise.
    "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "ERROR"}},
}
_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_htmx",
    "hark.console.accounts",
    "hark.console.requests",
    "hark.console.digests",
    "hark.console.inbox",
]
_MIDDLEWARE = [
    "hark.console.headers.security",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every view asks for an account unless it says `login_not_required`.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "hark.console.headers.Unavailable",
]
_VALIDATORS = [
    "django.contrib.auth.password_validation.MinimumLengthValidator",
    "django.contrib.auth.password_validation.CommonPasswordValidator",
    "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
]


def _templates() -> dict[str, Any]:
    return {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "hark.console.menu.menu"],
            "builtins": ["hark.console.filters"],
            "string_if_invalid": "",
        },
    }


def _database(data: Path) -> dict[str, Any]:
    # IMMEDIATE: a transaction that reads and then writes waits for the lock instead of failing on it.
    options = {"transaction_mode": "IMMEDIATE", "timeout": 10, "init_command": "PRAGMA journal_mode=DELETE"}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": data / "config.db", "OPTIONS": options}


def _derived(secret: str) -> str:
    return hmac.new(secret.encode(), b"hark console sessions", "sha256").hexdigest()


def digest() -> str:
    """A name for all static files as they are now, so that browsers may keep them for ever."""
    known = hashlib.blake2b(digest_size=6)
    for path in _static_files():
        known.update(f"{path.name} {path.stat().st_size}".encode())
        if path.is_relative_to(HERE):
            known.update(path.read_bytes())
    return known.hexdigest()


def _static_files() -> Iterator[Path]:
    for folder in FOLDERS.values():
        yield from sorted(path for path in folder.glob("*") if path.is_file())

"""The one-time link for the first account."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.db import transaction

from hark.clock import secret
from hark.console.accounts.models import Account, Invitation

FILE = "welcome"


def invite(data: Path, url: str) -> str | None:
    """The link for the first account, also in DIR/run/welcome (0600); None once there is an account.

    Each start makes a new link, and earlier ones stop working.
    """
    if Account.objects.exists():
        forget(data)
        return None
    token = secret("welcome")
    Invitation.objects.all().delete()
    Invitation.objects.create(token_hash=hashed(token))
    link = f"{url.rstrip('/')}/welcome/{token}"
    _write(data / "run" / FILE, link + "\n")
    return link


def accept(token: str, email: str, password: str) -> Account | None:
    """Makes the account and uses the link up, both or neither; None if the link is not good (any more)."""
    with transaction.atomic():
        used, _ = Invitation.objects.filter(token_hash=hashed(token)).delete()
        return Account.objects.create_user(email, password) if used else None


def good(token: str) -> bool:
    return Invitation.objects.filter(token_hash=hashed(token)).exists()


def forget(data: Path) -> None:
    """Removes the file that shows the link."""
    (data / "run" / FILE).unlink(missing_ok=True)


def hashed(token: str) -> str:
    # A token of 192 random bits needs no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)

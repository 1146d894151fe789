"""What config.db holds about people: accounts, and links that make one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Accounts(BaseUserManager["Account"]):
    """Makes accounts; an address is stored in lower case, so that it is one address."""

    def create_user(self, email: str, password: str, **more: Any) -> Account:
        account = self.model(email=email.strip().lower(), **more)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def addresses(self) -> frozenset[str]:
        """Of everybody who may sign in."""
        return frozenset(self.filter(is_active=True).values_list("email", flat=True))

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email=(username or "").strip().lower())


class Account(AbstractBaseUser):
    """Somebody of the team who may sign in."""

    email: models.EmailField[str, str] = models.EmailField("e-mail address", unique=True)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Accounts] = Accounts()
    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email


class Invitation(models.Model):
    """A link that makes one account, once. Only the token's hash is kept."""

    token_hash: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"invitation of {self.made_at:%Y-%m-%d %H:%M}"

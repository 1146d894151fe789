"""What config.db keeps of the weekly letter: who chose it, and which letters were handed over."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Reader(models.Model):
    """Somebody of the team who chose the letter."""

    account: models.OneToOneField[models.Model, models.Model] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digest"
    )
    since: models.BigIntegerField[int, int] = models.BigIntegerField()
    """Instant: weeks that ended before it are not sent."""

    def __str__(self) -> str:
        return str(self.account)


class Letter(models.Model):
    """One week's letter to one account. A row that says *sending* after a crash is never sent again."""

    account: models.ForeignKey[models.Model, models.Model] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE
    )
    week: models.CharField[str, str] = models.CharField(max_length=8)
    state: models.CharField[str, str] = models.CharField(max_length=8, default="wanted")
    """wanted, sending, sent, failed (certainly not accepted, tried again) or unknown."""
    detail: models.CharField[str, str] = models.CharField(max_length=300, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "week"], name="one_letter_a_week"),
        ]

    def __str__(self) -> str:
        return f"{self.week}: {self.state}"

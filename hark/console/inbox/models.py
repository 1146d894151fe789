"""What config.db keeps of a message in an inbox: what its reader did with it, on whichever device."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models


class Handled(models.Model):
    """One thing that was done with one message; each counts once."""

    message: models.CharField[str, str] = models.CharField(max_length=32)
    what: models.CharField[str, str] = models.CharField(max_length=10)
    at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["message", "what"], name="handled_once")]

    def __str__(self) -> str:
        return f"{self.message} {self.what}"

"""What config.db keeps of a call: that it came, and a print of what it asked for, never the thing itself."""

from __future__ import annotations

from datetime import datetime

from django.db import models


class Kept(models.Model):
    """One call under one key of one source."""

    key: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    """A hash of source and Idempotency-Key."""
    print: models.CharField[str, str] = models.CharField(max_length=64)
    """A hash of what was asked for."""
    done: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    """It is in the log."""
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"call of {self.made_at:%Y-%m-%d %H:%M}"

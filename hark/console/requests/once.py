"""Carrying a call out once: the same key and body again is the same call, another body is a mistake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, TypeAlias

from django.db import transaction

from hark.clock import moment
from hark.console.requests.models import Kept
from hark.model import Instant

KEPT_DAYS = 30
"""After this time a key is as good as new. The message's id stays the same, so that it is not sent twice."""
DROPPED = 100
"""Old calls forgotten at each new one, at most."""

Once: TypeAlias = Literal["done", "again", "other"]


def once(key: str, print_: str, now: Instant, act: Callable[[], None]) -> Once:
    """Does `act`, unless the call was carried out before (`again`) or its key was another's (`other`).

    What `act` raises passes through, and the call may then come again. Two at once under one key may both
    act: their message has one id, and the engine takes it once.
    """
    at = moment(now)
    with transaction.atomic():
        _forget(now)
        kept, _ = Kept.objects.get_or_create(key=key, defaults={"print": print_, "made_at": at})
    if kept.print != print_:
        return "other"
    if kept.done:
        return "again"
    act()
    Kept.objects.filter(pk=kept.pk).update(done=True)
    return "done"


def _forget(now: Instant) -> None:
    old = Kept.objects.filter(made_at__lt=moment(now) - timedelta(days=KEPT_DAYS)).values("pk")[:DROPPED]
    Kept.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()

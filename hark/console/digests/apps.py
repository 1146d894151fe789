from __future__ import annotations

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    """Registers who chose the weekly letter, and which were sent, under the label `digests`."""

    name = "hark.console.digests"
    label = "digests"

from __future__ import annotations

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    """Registers the kept calls under the label `requests`."""

    name = "hark.console.requests"
    label = "requests"

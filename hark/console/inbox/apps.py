from __future__ import annotations

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Registers what was done with messages under the label `inbox`."""

    name = "hark.console.inbox"
    label = "inbox"

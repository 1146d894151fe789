from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the accounts under the label `accounts`."""

    name = "hark.console.accounts"
    label = "accounts"

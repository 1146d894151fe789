"""One file for each provider; whatever is a `Channel` in one of them is found here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from hark.speak.contract import Channel


def _found() -> Iterator[Channel[Any, Any]]:
    for module in iter_modules(__path__):
        for one in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(one, type) and issubclass(one, Channel) and hasattr(one, "provider"):
                yield one()


CHANNELS: Mapping[str, Channel[Any, Any]] = {one.provider: one for one in _found()}
"""By the name of the provider."""

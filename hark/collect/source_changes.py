"""Changing a source: its settings and its keys.

A change is data: the commands and the console send it to `/control/sources`, where the running collect
applies it and uses it from its next request on; with no server running a command applies it itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from hark.clock import secret
from hark.collect.sources import (
    HookSecret,
    Key,
    Made,
    Source,
    add_source,
    hashed,
    held_key,
    read_sources,
    write_sources,
)
from hark.errors import HarkError
from hark.model import DAY, Instant

MOST_BODY_BYTES = 4 << 20
LEAST_BODY_BYTES = 32 * 1024
LEAST_DEDUPE_US, MOST_DEDUPE_US = DAY, 28 * DAY
MOST_KEYS = 100
LEAST_SECRET = 8
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")


class Add(Struct, frozen=True, tag="add", tag_field="do"):
    """A new source with one key of each sort."""

    name: str


class Set(Struct, frozen=True, tag="set", tag_field="do", forbid_unknown_fields=True):
    """Other settings; what is not given stays."""

    name: str
    disabled: bool | UnsetType = UNSET
    strict: bool | UnsetType = UNSET
    protected: tuple[str, ...] | UnsetType = UNSET
    origins: tuple[str, ...] | UnsetType = UNSET
    body_bytes: int | UnsetType = UNSET
    rate_per_s: float | UnsetType | None = UNSET
    dedupe_us: int | UnsetType = UNSET


class AddKey(Struct, frozen=True, tag="add_key", tag_field="do"):
    """One more key; with `others_expire_at` the good ones of its sort end then: clients have until then."""

    name: str
    secret: bool = False
    others_expire_at: Instant | None = None


class ExpireKey(Struct, frozen=True, tag="expire_key", tag_field="do"):
    """A key opens nothing from `at` on; None: from now on (revoked)."""

    name: str
    key: str
    """Its id, or a write key itself."""
    at: Instant | None = None


class AddHookSecret(Struct, frozen=True, tag="add_hook_secret", tag_field="do"):
    """What a provider signs with from now on; those before it end at `others_expire_at` (None: never)."""

    name: str
    secret: str
    others_expire_at: Instant | None = None

    def __repr__(self) -> str:
        return f"AddHookSecret({self.name!r}, ...)"


Change: TypeAlias = Add | Set | AddKey | ExpireKey | AddHookSecret


Changed: TypeAlias = "tuple[Source, Made]"


def apply(data: Path, change: Change, now: Instant) -> Made:
    """Change the file of sources; on disk when this returns. For whoever holds the collect role.

    Raises HarkError with an id `source...`: nothing was changed.
    """
    if isinstance(change, Add):
        return add_source(data, change.name, now)
    sources = read_sources(data)
    changed, made = _CHANGES[type(change)](_named(sources, change.name), change, now)
    write_sources(data, [changed if one.name == changed.name else one for one in sources])
    return made


def _named(sources: list[Source], name: str) -> Source:
    for source in sources:
        if source.name == name:
            return source
    names = ", ".join(source.name for source in sources)
    hint = f"there are: {names}" if names else "make one: hark source add web"
    raise HarkError(f"there is no source {name!r}", hint, "source.unknown")


def _set(source: Source, change: Set, _: Instant) -> Changed:
    given = {name: getattr(change, name) for name in change.__struct_fields__ if name != "name"}
    chosen = {name: value for name, value in given.items() if value is not UNSET}
    changed = msgspec.structs.replace(source, **chosen)
    for name in chosen:
        if name in _CHECKS:
            _CHECKS[name](changed)
    return changed, Made(source.name)


def _with_key(source: Source, change: AddKey, now: Instant) -> Changed:
    if len(source.keys) >= MOST_KEYS:
        message = f"source {source.name} has {MOST_KEYS} keys"
        raise HarkError(message, "make another source for what is separate", "source.keys")
    made = secret("sk" if change.secret else "wk")
    ends = change.others_expire_at
    others = [
        _ending(key, ends) if ends is not None and key.secret == change.secret and key.is_good(ends) else key
        for key in source.keys
    ]
    keys = (*others, held_key(made, change.secret, now))
    shown = Made(source.name, secret_key=made) if change.secret else Made(source.name, made)
    return msgspec.structs.replace(source, keys=keys), shown


def _without_key(source: Source, change: ExpireKey, now: Instant) -> Changed:
    found = [key for key in source.keys if change.key in (key.id, key.held)]
    if not found:
        hint = f"its keys are {', '.join(key.id for key in source.keys) or 'none'}"
        raise HarkError(f"source {source.name} has no key {change.key}", hint, "source.key")
    at = now if change.at is None else change.at
    keys = tuple(_ending(key, at) if key in found else key for key in source.keys)
    return msgspec.structs.replace(source, keys=keys), Made(source.name)


T = TypeVar("T", Key, HookSecret)


def _ending(key: T, at: Instant) -> T:
    return msgspec.structs.replace(key, expires_at=at)


def _with_hook_secret(source: Source, change: AddHookSecret, now: Instant) -> Changed:
    held = change.secret.strip()
    if len(held) < LEAST_SECRET:
        message = f"a secret of {len(held)} characters can be guessed"
        raise HarkError(message, f"at least {LEAST_SECRET}, as the provider shows it", "source.secret")
    if len(source.hook_secrets) >= MOST_KEYS:
        raise HarkError(f"source {source.name} has {MOST_KEYS} secrets", "end old ones", "source.keys")
    ends, others = change.others_expire_at, source.hook_secrets
    if ends is not None:
        others = tuple(_ending(one, ends) if one.is_good(ends) else one for one in others)
    made = HookSecret(hashed(held)[:8], held, now)
    kept = (*(one for one in others if one.id != made.id and one.is_good(now)), made)
    return msgspec.structs.replace(source, hook_secrets=kept), Made(source.name)


_CHANGES: dict[type, Callable[[Source, Any, Instant], Changed]] = {
    Set: _set,
    AddKey: _with_key,
    ExpireKey: _without_key,
    AddHookSecret: _with_hook_secret,
}


def _check_size(source: Source) -> None:
    if not LEAST_BODY_BYTES <= source.body_bytes <= MOST_BODY_BYTES:
        hint = f"between {LEAST_BODY_BYTES} (32 KB) and {MOST_BODY_BYTES} (4 MB)"
        raise HarkError(f"a body of {source.body_bytes} bytes", hint, "source.size")


def _check_rate(source: Source) -> None:
    if source.rate_per_s is not None and not 0 <= source.rate_per_s <= 1e6:
        raise HarkError(f"a rate of {source.rate_per_s} a second", "0 is no limit", "source.rate")


def _check_dedupe(source: Source) -> None:
    if not LEAST_DEDUPE_US <= source.dedupe_us <= MOST_DEDUPE_US:
        days = source.dedupe_us / DAY
        raise HarkError(f"messageIds remembered for {days:g} days", "1d to 28d", "source.dedupe")


def _check_origins(source: Source) -> None:
    for origin in source.origins:
        if not _ORIGIN.fullmatch(origin):
            hint = "scheme and host, as browsers send it: https://shop.example"
            raise HarkError(f"{origin!r} is no web origin", hint, "source.origin")


def _check_protected(source: Source) -> None:
    if not all(source.protected):
        raise HarkError("an event without a name", "name events as clients send them", "source.protected")


_CHECKS: dict[str, Callable[[Source], None]] = {
    "body_bytes": _check_size,
    "rate_per_s": _check_rate,
    "dedupe_us": _check_dedupe,
    "origins": _check_origins,
    "protected": _check_protected,
}

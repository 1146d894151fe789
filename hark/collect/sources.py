"""Sources, their keys and their settings: DIR/log/sources.json, owned by collect.

A write key is public (it stands in web pages) and kept as it is; a secret key may do more, stays on servers
and is kept as its SHA-256: it is shown once. How a source is changed is in `source_changes`.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from hark.clock import secret
from hark.errors import HarkError
from hark.model import DAY, Instant

BODY_BYTES = 500 * 1024
"""Of a whole body, packed and unpacked, where a source does not say otherwise."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN = frozenset({"hark", "import"})
"""What rows of the log that come from no source are marked with."""


class Key(Struct, frozen=True, omit_defaults=True):
    """One key of a source; several of each sort may be good at once, so that one is changed without a gap."""

    id: str
    """How the key is named where it isn't shown: its beginning."""
    secret: bool
    held: str
    """A write key as it is; of a secret key the SHA-256, in hex."""
    added_at: Instant = 0
    expires_at: Instant | None = None
    """From then on it opens nothing (401); None: it does not expire."""

    def is_good(self, now: Instant) -> bool:
        return self.expires_at is None or now < self.expires_at


class HookSecret(Struct, frozen=True, omit_defaults=True):
    """What a provider signs its webhooks with. It must be kept as it is; several may be good at once."""

    id: str
    """How it is named where it isn't shown."""
    held: str
    added_at: Instant = 0
    expires_at: Instant | None = None

    def is_good(self, now: Instant) -> bool:
        return self.expires_at is None or now < self.expires_at

    def __repr__(self) -> str:
        return f"HookSecret({self.id!r}, ...)"


class Source(Struct, frozen=True, omit_defaults=True):
    """Where events come from, as it is kept: DIR/log/sources.json is a list of these."""

    name: str
    keys: tuple[Key, ...] = ()
    disabled: bool = False
    """Nothing is taken from it: 401 for all its keys."""
    strict: bool = False
    """A batch with an invalid member is refused whole."""
    protected: tuple[str, ...] = ()
    """Names of events that only a secret key may send: goals, and what moves money."""
    origins: tuple[str, ...] = ()
    """Web origins (https://shop.example) whose pages may send; none named: all."""
    body_bytes: int = BODY_BYTES
    """Of one body, packed and unpacked."""
    rate_per_s: float | None = None
    """Requests a second for each of its keys; 0: no limit; None: the setting `rate_per_s`."""
    dedupe_us: int = DAY
    """How long a messageId is remembered, at least: 1 to 28 days."""
    hook_secrets: tuple[HookSecret, ...] = ()
    """By which its inbound webhooks are believed."""

    def write_key(self, now: Instant) -> str:
        """The newest write key that is good; "" if there is none."""
        good = [key.held for key in self.keys if not key.secret and key.is_good(now)]
        return good[-1] if good else ""


class Made(Struct, frozen=True):
    """The keys that a change has made; a secret key is shown here and never again."""

    source: str
    write_key: str = ""
    secret_key: str = ""


class Access(Struct, frozen=True):
    """What a key opens."""

    source: Source
    key: Key
    guarded: frozenset[str] = frozenset()
    """Event names that this key may not send; empty for secret keys."""
    origins: frozenset[str] = frozenset()

    @property
    def secret(self) -> bool:
        return self.key.secret

    def is_good(self, now: Instant) -> bool:
        """Whether the key opens anything now."""
        return not self.source.disabled and self.key.is_good(now)


class Sources:
    """The sources of a data directory, by key."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.use(read_sources(data))

    def find(self, key: str) -> Access | None:
        """What the key opens, be it good or not; None: it is nobody's."""
        return self._public.get(key) or self._secret.get(hashed(key))

    def use(self, found: Iterable[Source]) -> None:
        """Know these sources from now on, and no others."""
        self.all = tuple(found)
        self.body_bytes = max((source.body_bytes for source in self.all), default=BODY_BYTES)
        opened = [_access(source, key) for source in self.all for key in source.keys]
        self._public = {access.key.held: access for access in opened if not access.secret}
        self._secret = {access.key.held: access for access in opened if access.secret}

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may send to any source at all."""
        return not self.all or any(not one.origins or origin in one.origins for one in self.all)


def _access(source: Source, key: Key) -> Access:
    guarded = frozenset() if key.secret else frozenset(source.protected)
    return Access(source, key, guarded, frozenset(source.origins))


def hashed(key: str) -> str:
    """How a secret key is kept. It is 192 random bits, so a plain hash can't be searched."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def held_key(key: str, secret: bool, now: Instant = 0) -> Key:
    """A key as it is kept."""
    return Key(key[:9], secret, hashed(key) if secret else key, now)


def read_sources(data: Path) -> list[Source]:
    """The sources there are. Raises HarkError `sources.broken` if the file can't be read as such."""
    path = data / "log" / "sources.json"
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Source])
    except msgspec.MsgspecError as error:
        raise HarkError(f"{path} is broken: {error}", "restore it from a copy", "sources.broken") from None


def write_sources(data: Path, sources: Iterable[Source]) -> None:
    """Replace the file in one step, readable by its owner only; on disk when this returns."""
    path = data / "log" / "sources.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    number, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(list(sources))))
            file.flush()
            os.fsync(number)
    except OSError:
        Path(temporary).unlink()
        raise
    Path(temporary).replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def add_source(data: Path, name: str, now: Instant = 0) -> Made:
    """Make a source with one key of each sort; on disk when this returns.

    For whoever holds the collect role. Raises HarkError `source.exists` or `source.name`.
    """
    sources = read_sources(data)
    if not _NAME.fullmatch(name) or name in _TAKEN:
        hint = "small letters, digits and _, beginning with a letter: web, shop_app (not hark or import)"
        raise HarkError(f"{name!r} can't be a source's name", hint, "source.name")
    if any(source.name == name for source in sources):
        raise HarkError(f"there is a source {name!r} already", "choose another name", "source.exists")
    made = Made(name, secret("wk"), secret("sk"))
    keys = (held_key(made.write_key, False, now), held_key(made.secret_key, True, now))
    write_sources(data, [*sources, Source(name, keys)])
    return made

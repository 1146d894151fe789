"""Settings: read once from DIR/hark.toml; each mistake is answered with a hint and a stable id."""

from __future__ import annotations

import difflib
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from hark.errors import HarkError


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a workspace may choose. Every key has a default; DIR/hark.toml need not exist."""

    zone: str = "UTC"
    """The workspace's time zone: periods and whole days are cut in it."""
    base_url: str = ""
    """The public address of this server, for links in messages; empty: http://HOST:PORT."""
    seal_events: int = 262_144
    """Events waiting in `recent` before they are written to the history table."""
    seal_age_s: float = 600.0
    """Seconds after which fewer events are written too."""
    unread_log_mb: int = 16_384
    """Unread log over which nothing more is accepted; imports: over half of it. 0: no limit."""
    queue_mb: int = 64
    """Bytes of requests that are read or wait to be written, over which more are told to come again."""
    metrics_token: str = ""
    """What a bearer token must be to read /metrics from elsewhere; empty: only this machine may."""
    compact_files: int = 16
    """Files of one bucket before they are sorted into one."""
    min_free_mb: int = 256
    """Free disk space under which nothing more is accepted."""
    log_file_mb: int = 1024
    """Size at which the log goes on in a new file; it does so once a day in any case."""
    log_days: int = 28
    """Days for which the log keeps what came in; then its files go whole, if the history has all of it."""
    rate_per_s: float = 0.0
    """Requests a second that one key may make; 0: no limit."""
    question_memory_mb: int = 0
    """Memory of the questions process over which a question is refused or ended; 0: half the machine's."""
    question_s: float = 300.0
    """Seconds after which a question is ended."""
    deliver_threads: Annotated[int, Meta(ge=1, le=64)] = 4
    """Messages that are with providers at once; a crash leaves about as many in doubt."""
    outbound_allow: tuple[str, ...] = ()
    """Addresses ("127.0.0.1") and networks ("10.0.0.0/8") that senders may reach besides the internet."""


def read(data: Path) -> Settings:
    """The settings of a data directory. Raises HarkError for a wrong file, naming key and line of thought."""
    path = data / "hark.toml"
    if not path.exists():
        return Settings()
    try:
        found = tomllib.loads(path.read_text())
        settings = msgspec.convert(found, Settings)
        ZoneInfo(settings.zone)
        _networks(path, settings)
    except tomllib.TOMLDecodeError as error:
        raise HarkError(
            f"{path} is not TOML: {error}", hint="see docs/settings.md", id="settings.toml"
        ) from None
    except msgspec.ValidationError as error:
        raise HarkError(f"{path}: {error}", hint=_nearest(found), id="settings.value") from None
    except (ZoneInfoNotFoundError, ValueError):
        message = f"{path}: zone = {found.get('zone')!r} is not a time zone"
        raise HarkError(message, hint='write a name such as "Europe/London"', id="settings.zone") from None
    return settings


def _networks(path: Path, settings: Settings) -> None:
    for text in settings.outbound_allow:
        try:
            ip_network(text)
        except ValueError as error:
            message = f"{path}: outbound_allow: {error}"
            hint = 'write addresses and networks, such as "127.0.0.1" or "10.0.0.0/8"; names are not taken'
            raise HarkError(message, hint=hint, id="settings.network") from None


def _nearest(found: dict[str, object]) -> str:
    known = Settings.__struct_fields__
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1) or list(known)
            return f"did you mean {near[0]}?"
    return f"the keys are {', '.join(known)}"

"""Who asks for an inbox: a token for one customer, which the team's own server makes with a secret key.

A token is a JSON Web Token (RFC 7519), HS256, signed with the SHA-256 (in hex) of a source's secret key,
since the key itself is kept by nobody but the team. It says `sub`, the userId, and `exp`; `aud` is "hark". It
ends with its time, with its key, and with its source.
"""

from __future__ import annotations

from collections.abc import Iterator

import jwt
from jwt.types import Options
from msgspec import Struct

from hark.collect.sources import Source
from hark.model import SECOND, Instant

AUDIENCE = "hark"
LONGEST_S = 7 * 24 * 3600
"""Who could be signed in for longer than this has to ask the team's server again."""
_LEEWAY_S = 30
"""Two servers' clocks are never quite the same."""


class Claim(Struct, frozen=True):
    """What a token vouches for."""

    user: str
    """A userId."""
    until: Instant


def claimed(token: str, sources: tuple[Source, ...], now: Instant) -> Claim | None:
    """The customer for whom the token was made; None for one that is none, is over, or is nobody's."""
    for secret in _secrets(sources, now):
        try:
            said = jwt.decode(token, secret, ["HS256"], audience=AUDIENCE, options=_OPTIONS)
        except jwt.InvalidTokenError:
            continue
        return _claim(said, now)
    return None


def _claim(said: dict[str, object], now: Instant) -> Claim | None:
    user, until_s, now_s = said["sub"], said["exp"], now / SECOND
    if not isinstance(user, str) or not isinstance(until_s, int | float) or not user:
        return None
    if not now_s - _LEEWAY_S < until_s <= now_s + LONGEST_S + _LEEWAY_S:
        return None
    return Claim(user, int(until_s * SECOND))


def _secrets(sources: tuple[Source, ...], now: Instant) -> Iterator[str]:
    for source in sources:
        if not source.disabled:
            yield from (key.held for key in source.keys if key.secret and key.is_good(now))


# Times are compared with the clock that is passed in, not with the machine's.
_OPTIONS: Options = {"require": ["sub", "exp", "aud"], "verify_exp": False, "verify_iat": False}

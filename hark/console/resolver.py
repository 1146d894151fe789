"""DNS by the system's resolver, asked with patience of a few seconds."""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.resolver

PATIENCE_S = 4.0


def lookup(name: str, kind: str, servers: Sequence[str] = (), port: int = 53) -> list[str]:
    """The texts of the records of a name and type, [] where there is none. Raises OSError where nobody
    answers. `servers` are asked instead of the system's."""
    asking = dns.resolver.Resolver(configure=not servers)
    asking.lifetime = PATIENCE_S
    if servers:
        asking.nameservers, asking.port = list(servers), port
    try:
        return [_text(one) for one in asking.resolve(name, kind, raise_on_no_answer=False)]
    except dns.resolver.NXDOMAIN:
        return []
    except dns.exception.DNSException as error:
        raise OSError(f"{type(error).__name__} for {name}") from error


def _text(record: object) -> str:
    """A TXT record's pieces belong together (RFC 7208, 3.3)."""
    pieces = getattr(record, "strings", None)
    return b"".join(pieces).decode("utf-8", "replace") if pieces else str(record)

"""Where we may connect to: which texts name a place, and which addresses are the open internet's.

A sender's address is written by a person, or comes from a customer's browser (web push). Whoever could make
us call 169.254.169.254 or a neighbour's 10.0.0.5 would use us to read what only this machine may
read. So a place is refused by its form where it is not plain, and every address a name resolves to
must be global (the IANA special-purpose registries for IPv4 and IPv6), or be allowed by `outbound_allow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

IP: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 2_000
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
PLAIN = re.compile(r"[!-~]+")
"""Printable ASCII: no spaces, controls or letters which look like others."""
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label of this form makes a name an address of IPv4 to many resolvers: 0x7f.1, 017700000001."""

UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out as global unicast."""
TUNNELS: tuple[Network, ...] = (
    IPv6Network("2001::/23"),  # Teredo, ORCHID, benchmarking: IETF protocol assignments
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4 carries any IPv4 address inside it
    IPv6Network("3fff::/20"),
)
"""Parts of it that lead elsewhere, or nowhere. NAT64 (64:ff9b::) and mapped IPv4 lie outside of UNICAST."""
NOT_GLOBAL: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),  # the relays of 6to4
    IPv4Network("224.0.0.0/3"),  # multicast and reserved, which Python counts as global in part
)


class BadPlaceError(ValueError):
    """The text is no place that anything may be sent to, or the place is not on the open internet."""


class Place(Struct, frozen=True):
    """A URL in its parts; `host` is a lower-case name or a literal address without brackets."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    target: str
    """Path and query as sent in the request line."""

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.scheme == "https" else 80)
        return host if usual else f"{host}:{self.port}"


class Allowed(Struct, frozen=True):
    """Networks that may be reached besides the open internet: those of `outbound_allow`."""

    networks: tuple[Network, ...] = ()

    @staticmethod
    def of(texts: Iterable[str]) -> Allowed:
        """ "10.1.2.3" or "10.0.0.0/8". Raises ValueError for anything else."""
        return Allowed(tuple(ip_network(text) for text in texts))

    def has(self, address: IP) -> bool:
        return any(address in network for network in self.networks)

    def refuse(self, address: IP, name: str = "") -> None:
        """Raises BadPlaceError for an address which is neither global nor allowed; `name` resolved to it."""
        plain = _unmapped(address)
        if not is_global(address) and not self.has(plain):
            at = f"{name} is at {address}, which" if name not in ("", str(address)) else str(address)
            raise BadPlaceError(
                f"{at} is not an address of the open internet; if it is meant, "
                f'add "{plain}" to outbound_allow in hark.toml'
            )

    def refuse_literal(self, host: str) -> None:
        """Raises BadPlaceError for a host that is not plain, or a literal address that may not be reached."""
        literal = literal_of(host)
        if literal is not None:
            self.refuse(literal)


NOWHERE_ELSE = Allowed()


def is_global(address: IP) -> bool:
    """Whether an address belongs to the open internet, and to one machine of it."""
    if isinstance(address, IPv6Address):
        tunnel = any(address in network for network in TUNNELS)
        return address in UNICAST and not tunnel and address.scope_id is None and not _isatap(address)
    return address.is_global and not any(address in network for network in NOT_GLOBAL)


def _isatap(address: IPv6Address) -> bool:
    """RFC 5214: an interface id of 0:5efe (or 200:5efe) and an IPv4 address leads to that address."""
    return (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE


def _unmapped(address: IP) -> IP:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def literal_of(host: str) -> IP | None:
    """The address that a host is, None for a name. Raises BadPlaceError where the form is not plain."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    if not NAME.fullmatch(host) or NUMBER.fullmatch(host.rpartition(".")[2]):
        raise BadPlaceError(f"not a host name or a plain address: {host[:100]!r}")
    return None


def place_of(url: str, allowed: Allowed = NOWHERE_ELSE) -> Place:
    """The place that a URL names. Raises BadPlaceError where it is not plain or leads to a literal address
    that may not be reached; plain http is only for what is allowed by `outbound_allow`."""
    if len(url) > LONGEST_URL or not PLAIN.fullmatch(url) or "\\" in url or "#" in url:
        raise BadPlaceError(f"not a plain URL: {url[:100]!r} (ASCII, no spaces, no #, write IDN as xn--)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadPlaceError(f"not a URL: {error}") from error
    scheme, host = parts.scheme, parts.hostname or ""
    if scheme not in ("http", "https") or "@" in parts.netloc or not host or port == 0:
        raise BadPlaceError(f"not an https URL without user and password: {url[:100]!r}")
    if "%" in parts.netloc or (":" in host and not parts.netloc.startswith("[")):
        raise BadPlaceError(f"not a plain host: {parts.netloc[:100]!r}")
    allowed.refuse_literal(host)
    if scheme == "http" and not _inside(host, allowed):
        raise BadPlaceError("http is not encrypted: write https (http is for addresses in outbound_allow)")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place("https" if scheme == "https" else "http", host, port or _usual(scheme), target)


def _usual(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _inside(host: str, allowed: Allowed) -> bool:
    literal = literal_of(host)
    return literal is not None and allowed.has(_unmapped(literal))


def all_reachable(host: str, addresses: Sequence[str], allowed: Allowed) -> list[str]:
    """What a name resolved to, every one of them reachable: a name that also points inside is refused whole.

    Raises BadPlaceError.
    """
    if not addresses:
        raise BadPlaceError(f"{host} has no address")
    for text in addresses:
        allowed.refuse(ip_address(text), host)
    return list(dict.fromkeys(addresses))

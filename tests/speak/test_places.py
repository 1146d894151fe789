"""Hostile addresses: none of them gets a packet, whichever way it is written or resolved."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from hark.speak.contract import Lost, Request
from hark.speak.places import Allowed, BadPlaceError, is_global, place_of
from hark.speak.wire import Timeouts, Wire, connect

FORMS = [
    "http://shop.example/",
    "https://user@shop.example/",
    "https://user:pw@127.0.0.1/",
    "https://shop.example@127.0.0.1/",
    "https://127.0.0.1\\@shop.example/",
    "https://shop.example#@127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0177.0x0.0.1/",
    "https://127.000.000.001/",
    "https://0/",
    "https://0x0/",
    "https://1.2.3/",
    "https://127.0.0.1./",
    "https://localhost./",
    "https://shop.example./",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:99999/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    "https://shop%00.example/",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "https:///",
    "https://[/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://ⓛocalhost/",
    "https://пример.example/",
    "https://exa\xadmple.example/",
    "https://-shop.example/",
    "https://shop..example/",
    "https://.shop.example/",
    "https://shop.example:80:80/",
    "https://10.0.0.1.0x1/",
    "https://256.1.1.1/",
    "https://1.1.1.1.1/",
]
"""Texts that are no plain place, whatever they would resolve to."""
FORMS += [
    "https://shop.example/\r\nHost: x",
    "https://shop.example/ x",
    "https://shop.example/\tx",
    " https://a.example",
]
LITERALS = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2001:10::1",
    "2001:20::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a00:1",
    "4000::1",
    "::ffff:8.8.8.8",
]
"""Addresses that are not one machine of the open internet, by IANA's special-purpose registries."""
GLOBAL = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]


@pytest.fixture
def packets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that a connection is attempted to, from here on; none is made."""
    tried: list[object] = []

    def create_connection(address: object, *_: object) -> socket.socket:
        tried.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return tried


def url_of(address: str) -> str:
    return f"https://[{address}]/hook" if ":" in address else f"https://{address}/hook"


def test_there_are_enough_hostile_addresses() -> None:
    """At least sixty, each once."""
    assert len({*FORMS, *LITERALS}) == len(FORMS) + len(LITERALS) >= 60


@pytest.mark.parametrize("url", [*FORMS, *map(url_of, LITERALS)])
def test_a_hostile_place_is_refused_when_it_is_saved_tested_and_sent_to(
    url: str, packets: list[object]
) -> None:
    """The text is refused by its form (on save), and the same text at the wire leads to no packet."""
    with pytest.raises(BadPlaceError):
        place_of(url)
    lost = Wire().exchange(Request(url, b"{}"))
    assert isinstance(lost, Lost)
    assert (lost.refused, lost.said, packets) == (True, False, [])


@pytest.mark.parametrize("address", LITERALS)
@pytest.mark.parametrize("beside", [[], ["1.1.1.1"]])
def test_a_name_that_resolves_inside_is_refused_whole(
    address: str, beside: list[str], packets: list[object]
) -> None:
    """A name with any address inside gets no packet, even if another of its addresses is global."""
    lost = Wire(by=lambda _host, _port: [*beside, address]).exchange(Request("https://rebind.example/", b""))
    assert isinstance(lost, Lost)
    assert lost.refused
    with pytest.raises(BadPlaceError):
        connect("mail.example", 25, 1, by=lambda _host, _port: [*beside, address])
    assert packets == []


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(packets: list[object]) -> None:
    """The checked address itself is connected to; the name is asked once."""
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    lost = Wire(by=lambda _host, _port: next(answers)).exchange(Request("https://rebind.example/", b""))
    assert isinstance(lost, Lost)
    assert packets == [("1.1.1.1", 443)]


@pytest.mark.parametrize(
    "name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
)
def test_a_proxy_of_the_environment_is_not_asked(
    name: str, packets: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxy variables change nothing: the packet goes to the place itself."""
    monkeypatch.setenv(name, "http://127.0.0.1:3128")
    Wire(by=lambda _host, _port: ["1.1.1.1"]).exchange(Request("https://shop.example/", b""))
    assert packets == [("1.1.1.1", 443)]


@pytest.mark.parametrize("address", GLOBAL)
def test_the_open_internet_is_reached(address: str, packets: list[object]) -> None:
    """A global address passes, as a literal and behind a name."""
    assert is_global(ip_address(address))
    Wire().exchange(Request(url_of(address), b""))
    Wire(by=lambda _host, _port: [address]).exchange(Request("https://shop.example:8443/", b""))
    assert packets == [(address, 443), (address, 8443)]


def test_what_is_allowed_is_reached_and_nothing_beside_it(packets: list[object]) -> None:
    """`outbound_allow` opens its networks, for http too, and also in their mapped form; no others."""
    allowed = Allowed.of(["127.0.0.1", "10.1.0.0/16"])
    assert place_of("http://127.0.0.1:8080/x?y=1", allowed).authority == "127.0.0.1:8080"
    assert place_of("https://[::ffff:127.0.0.1]/", allowed).port == 443
    for url in ["http://127.0.0.2/", "https://10.2.0.1/", "http://shop.example/"]:
        with pytest.raises(BadPlaceError):
            place_of(url, allowed)
    Wire(allowed, by=lambda _host, _port: ["10.1.2.3"]).exchange(Request("https://inside.example/", b""))
    assert packets == [("10.1.2.3", 443)]


@pytest.fixture
def silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_server_that_never_speaks_tls_has_been_told_nothing(silent: int) -> None:
    """A port that accepts and stays silent is given up within the timeout, with nothing said."""
    wire = Wire(Allowed.of(["127.0.0.1"]), Timeouts(0.2, 0.2, 0.2), trusted=ssl.create_default_context())
    lost = wire.exchange(Request(f"https://127.0.0.1:{silent}/", b"{}"))
    assert isinstance(lost, Lost)
    assert not lost.said
    assert lost.verdict().temporary

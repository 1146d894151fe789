"""What DNS says of a sender's domain, asked of a real server on loopback."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hark.console.resolver import lookup
from hark.definitions.document import Document
from hark.speak.mail_dns import Check, Lookup, checked, dkim, dmarc, incoming, spf
from hark.store.state import StateReader

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


def key(bits: int) -> str:
    """A public key as it stands in DNS (RFC 6376, 3.6.1)."""
    der = (
        rsa.generate_private_key(public_exponent=65537, key_size=bits)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return b64encode(der).decode()


LONG, SHORT = key(2048), key(1024)
ZONE = {
    ("good.example", "TXT"): ['"v=spf1 include:_spf.relay.example mx ~all"', '"other=1"'],
    ("_spf.relay.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 a:x.relay.example -all"'],
    ("two.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 ~all"'],
    ("open.example", "TXT"): ['"v=spf1 +all"'],
    ("vague.example", "TXT"): ['"v=spf1 mx"'],
    ("deep.example", "TXT"): ['"v=spf1 include:deep.example -all"'],
    ("split.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 " "-all"'],
    ("s1._domainkey.good.example", "TXT"): [f'"v=DKIM1; k=rsa; p={LONG[:200]}" "{LONG[200:]}"'],
    ("old._domainkey.good.example", "TXT"): [f'"v=DKIM1; p={SHORT}"'],
    ("gone._domainkey.good.example", "TXT"): ['"v=DKIM1; p="'],
    ("broken._domainkey.good.example", "TXT"): ['"v=DKIM1; p=AAAA"'],
    ("ed._domainkey.good.example", "TXT"): ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg=="'],
    ("_dmarc.good.example", "TXT"): ['"v=DMARC1; p=reject; sp=none; rua=mailto:x@good.example"'],
    ("_dmarc.open.example", "TXT"): ['"v=DMARC1; p=maybe"'],
    ("_dmarc.two.example", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
    ("reply.good.example", "MX"): ["10 mx.good.example."],
    ("null.example", "MX"): ["0 ."],
}  # fmt: skip


@pytest.fixture(scope="module")
def ask() -> Iterator[Lookup]:
    """A name server on a free port of loopback; `silent.example` gets no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield partial(lookup, servers=["127.0.0.1"], port=server.getsockname()[1])


def serve(server: socket.socket) -> None:
    while True:
        try:
            data, client = server.recvfrom(4096)
        except OSError:
            return
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        name = question.name.to_text(omit_final_dot=True)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        found = ZONE.get((name, dns.rdatatype.to_text(question.rdtype)))
        if name == "silent.example":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, found))
        elif not any(known == name for known, _ in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), client)


@pytest.mark.parametrize(
    ("domain", "state", "says"),
    [
        ("good.example", "good", "3 of 10 lookups"),
        ("split.example", "good", "0 of 10 lookups"),
        ("none.example", "bad", "no SPF record"),
        ("two.example", "bad", "2 SPF records"),
        ("open.example", "bad", "allows everybody"),
        ("vague.example", "warn", "end it with ~all"),
        ("deep.example", "bad", "over 10 lookups"),
    ],
)
def test_spf(domain: str, state: str, says: str, ask: Lookup) -> None:
    """One record, in pieces or not, within RFC 7208's ten lookups (those of what it includes too), that does
    not let everybody in."""
    found = spf(domain, ask)
    assert found.state == state
    assert says in found.says


@pytest.mark.parametrize(
    ("selector", "state", "says"),
    [
        ("s1", "good", "2,048 bits"),
        ("old", "warn", "1,024 bits"),
        ("gone", "bad", "revoked"),
        ("broken", "bad", "cannot be read"),
        ("ed", "good", "ed25519"),
        ("nobody", "warn", "give the selector"),
    ],
)
def test_dkim(selector: str, state: str, says: str, ask: Lookup) -> None:
    """A key that can be read, in force, and as long as RFC 8301 asks."""
    found = dkim("good.example", ["absent", selector], ask)
    assert found.state == state
    assert says in found.says


@pytest.mark.parametrize(
    ("domain", "state", "says"),
    [
        ("good.example", "good", "policy reject"),
        ("news.good.example", "warn", "policy none"),
        ("open.example", "bad", "p=maybe"),
        ("two.example", "bad", "2 DMARC records"),
        ("none.example", "bad", "there is none"),
    ],
)
def test_dmarc(domain: str, state: str, says: str, ask: Lookup) -> None:
    """The domain's own policy, else its parent's for those below; two records are none (RFC 7489, 6.6.3)."""
    found = dmarc(domain, ask)
    assert found.state == state
    assert says in found.says


def test_where_answers_come_in(ask: Lookup) -> None:
    """An MX, which is not the null MX of RFC 7505."""
    assert [incoming(one, ask).state for one in ("reply.good.example", "null.example", "none.example")] == [
        *("good", "bad", "bad")
    ]


def test_a_resolver_that_does_not_answer_is_no_verdict(ask: Lookup) -> None:
    """It is said to be unknown, never missing."""
    found = checked("silent.example", "silent.example", "", ("s1",), ask)
    assert {one.name: one.state for one in found}["SPF"] == "unknown"
    assert found[0] == Check("SPF", "unknown", found[0].says)
    assert "try again" in found[0].says


def test_the_page_of_a_sender(ann: Client, ask: Lookup, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not set, the addresses for the provider, and what DNS says only when it is asked for."""
    from hark.console import resolver

    body = {"address": "Shop <hello@good.example>", "host": "mail.example", "reports": "sendgrid"}
    body |= {
        "reports_env": "NOT_SET",
        "replies": "reply.good.example",
        "inbound": "raw",
        "inbound_env": "HOME",
    }
    document = Document("sender", "shop", 1, {"sender": "shop", **body})
    monkeypatch.setattr(StateReader, "documents", lambda _: [document])
    monkeypatch.setattr(resolver, "lookup", ask)
    assert ann.get("/senders?format=json").json()["lines"][0]["missing"] == ["NOT_SET"]
    bare = ann.get("/senders/shop?format=json").json()
    assert (bare["domain"], bare["checks"]) == ("good.example", [])
    assert [door[1].split("/", 3)[3] for door in bare["doors"]] == ["reports/shop", "inbound/shop"]
    found = ann.get("/senders/shop?check=yes&format=json").json()["checks"]
    assert {one["name"]: one["state"] for one in found} == dict.fromkeys(
        ("SPF", "DKIM", "DMARC", "MX"), "good"
    )
    other = ann.get("/senders/shop?check=yes&selector=gone&format=json").json()["checks"]
    assert other[1]["state"] == "bad"
    assert "revoked" in ann.get("/senders/shop?check=yes&selector=gone").content.decode()
    assert ann.get("/senders/nobody").status_code == 404

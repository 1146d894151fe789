"""Mail that comes in: whose message it answers, what was said, and whether a person said it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hark.definitions.types import Sender
from hark.speak.channels import CHANNELS
from hark.speak.contract import Envelope, Job
from hark.speak.incoming import Reply, Report, addresses, understood, wants_out, without_quotes
from hark.speak.links import Key
from hark.speak.render import Rendered
from hark.speak.reply_address import answered, reply_address, reply_token

OLD, NEW = Key("k1", "an-old-secret-of-thirty-two-chars"), Key("k2", "a-new-secret-of-thirty-two-chars")
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(ids, st.sampled_from(["reply.shop.example", "team@shop.example"]))
def test_a_reply_address_says_its_message_to_us_alone(message: str, where: str) -> None:
    """Under any of our keys, in capitals and within a header; with another key, or one letter changed,
    nothing. It fits into RFC 5321's 64 characters."""
    address = reply_address(where, reply_token(OLD, message))
    assert answered([OLD, NEW], ["x@y.example", f"Shop <{address.upper()}>"]) == message
    assert answered([NEW], [address]) == ""
    local, _, domain = address.partition("@")
    assert len(local) <= 64
    changed = local[:-1] + ("a" if local[-2:] != "aa" else "b")
    other = answered([OLD, NEW], [f"{changed}@{domain}"])
    # the last letter of base32 has two bits that say nothing
    assert other in ("", message)
    early = local[:10] + ("b" if local[10] == "a" else "a") + local[11:]
    assert answered([OLD], [f"{early}@{domain}"]) == ""


def test_letters_go_out_with_it() -> None:
    """As Reply-To where the sender has a place for answers, and as the envelope's sender only with verp."""
    token = reply_token(OLD, "ab" * 16)
    envelope = Envelope("ab" * 16, "ada@shop.example", 0, reply_token=token)
    shop, said = Sender("shop", "shop@shop.example"), Rendered("s", None, "t")
    answering = replace(shop, replies="reply.shop.example", verp=True)
    letter = CHANNELS["smtp"].build(Job(said, envelope, answering))
    assert f"Reply-To: {token}@reply.shop.example\r\n".encode() in letter.data
    assert letter.sender == f"{token}@reply.shop.example"
    plain = CHANNELS["smtp"].build(Job(said, envelope, shop))
    assert b"Reply-To" not in plain.data
    assert plain.sender == "shop@shop.example"


def mail(body: str, kind: str = "text/plain; charset=utf-8", **headers: str) -> bytes:
    given = {"From": "Ada <ada@example.com>", "To": "r@reply.shop.example", "Subject": "Re: New"} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"{lines}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "body",
    [
        "Yes, blue please!\r\n\r\nOn Mon, 2 Mar 2026 at 09:00, Shop <r@shop.example> wrote:\r\n> Which?\r\n",
        "Yes, blue please!\r\n\r\nAm 02.03.2026 um 09:00 schrieb Shop <r@x.example>:\r\n> Welche?\r\n",
        "Yes, blue please!\r\n\r\nLe lun. 2 mars 2026 à 09:00, Shop <r@x.example> a écrit :\r\n> Quoi ?\r\n",
        "Yes, blue please!\r\n\r\n-----Original Message-----\r\nFrom: Shop\r\nSent: Monday\r\n\r\nWhich?",
        "Yes, blue please!\r\n\r\nFrom: Shop <r@shop.example>\r\nSent: Monday, 2 March 2026 09:00\r\n"
        "To: Ada <ada@example.com>\r\nSubject: New\r\n\r\nWhich?",
        "Yes, blue please!\r\n-- \r\nAda King\r\nCountess\r\n",
        "On Mon, 2 Mar 2026 at 09:00, Shop <r@x.example> wrote:\r\n> Which?\r\n> This\r\n> or that?\r\n\r\n"
        "Yes, blue please!\r\n",
        "Yes, blue please!",
    ],
)
def test_what_is_quoted_is_left_out(body: str) -> None:
    """Of the forms that mail programs give to what they quote, above or below; the whole stays beside it."""
    found = understood(mail(body))
    assert isinstance(found, Reply)
    assert found.text == "Yes, blue please!"
    assert (found.source, found.subject, found.machine) == ("ada@example.com", "Re: New", "")
    assert found.whole == body.replace("\r\n", "\n").strip()


def test_html_alone_is_read_too() -> None:
    """Its words, without its markup."""
    found = understood(mail("<p>Yes &amp; no</p><script>x()</script>", "text/html; charset=utf-8"))
    assert isinstance(found, Reply)
    assert found.text == "Yes & no"


AUTOMATIC = [
    ({"Auto_Submitted": "auto-replied"}, "auto_submitted"),
    ({"Auto_Submitted": "auto-generated (vacation)"}, "auto_submitted"),
    ({"Return_Path": "<>"}, "null_sender"),
    ({"Precedence": "bulk"}, "precedence"),
    ({"Precedence": "auto_reply"}, "precedence"),
    ({"From": "MAILER-DAEMON@mx.example"}, "daemon"),
    ({"X_Autoreply": "yes"}, "x_autoreply"),
    ({"X_Auto_Response_Suppress": "All"}, "x_auto_response_suppress"),
    ({"List_Id": "<l.example>"}, "list"),
    ({"Subject": "Automatic reply: New this week"}, "subject"),
    ({"Subject": "Abwesenheitsnotiz: Neu"}, "subject"),
    ({"Auto_Submitted": "no"}, ""),
    ({"Precedence": "normal"}, ""),
]


@pytest.mark.parametrize(("headers", "machine"), AUTOMATIC)
def test_what_a_machine_answers_is_told_apart(headers: dict[str, str], machine: str) -> None:
    """By RFC 3834's header and the older ones, by the null sender, and last by what subjects say."""
    found = understood(mail("I am away.", **headers))
    assert isinstance(found, Reply)
    assert found.machine == machine


def test_the_null_sender_of_the_envelope_is_a_machine() -> None:
    """RFC 3834, 3.3: automatic answers have it; a person's mail has an address there."""
    for sender, machine in (("", "null_sender"), ("<>", "null_sender"), ("ada@example.com", ""), (None, "")):
        found = understood(mail("x"), sender)
        assert isinstance(found, Reply)
        assert found.machine == machine


STATUS = """From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>
To: <owner-info-mime@cs.utk.edu>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="RAA14128.773615765/CS.UTK.EDU"

--RAA14128.773615765/CS.UTK.EDU

   ----- The following addresses had delivery problems -----
<louisl@larry.slip.umd.edu>  (unrecoverable error)

--RAA14128.773615765/CS.UTK.EDU
content-type: message/delivery-status

Reporting-MTA: dns; cs.utk.edu

Original-Recipient: rfc822;louisl@larry.slip.umd.edu
Final-Recipient: rfc822;louisl@larry.slip.umd.edu
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--RAA14128.773615765/CS.UTK.EDU
content-type: message/rfc822

Subject: [original message goes here]

--RAA14128.773615765/CS.UTK.EDU--
"""
"""The form of RFC 3464, appendix E."""


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "expected"),
    [
        ("failed", "4.0.0", "426 connection timed out", ("bounced", False)),
        ("failed", "5.1.1", "550 no such user", ("bounced", True)),
        ("Failed", "5.2.2", "552 mailbox full", ("bounced", False)),
        ("failed", "5.1.8", "501 bad sender", ("bounced", False)),
        ("delivered", "2.1.5", "250 ok", ("delivered", False)),
        ("delayed", "4.4.1", "later", None),
        ("expanded", "2.0.0", "a list", None),
    ],
)
def test_a_delivery_report_is_what_became_of_the_message(
    action: str, status: str, diagnostic: str, expected: tuple[str, bool] | None
) -> None:
    """RFC 3464's actions; an address is gone only by 5.1.x about the recipient; a delay says nothing yet."""
    found = understood(STATUS.format(action=action, status=status, diagnostic=diagnostic).encode())
    if expected is None:
        assert found is None
        return
    assert found == Report(expected[0], f"{status} {diagnostic}", expected[1])  # type: ignore[arg-type]


def test_an_abuse_report_is_a_complaint() -> None:
    """The form of RFC 5965, appendix B; another type of feedback is nothing."""
    text = STATUS.format(action="x", status="", diagnostic="").replace("delivery-status", "feedback-report")
    text = re.sub(r"Reporting-MTA.*?\n\n--", "Feedback-Type: abuse\nVersion: 1\n\n--", text, flags=re.DOTALL)
    found = understood(text.encode())
    assert isinstance(found, Report)
    assert found.what == "complained"
    assert understood(text.replace("abuse", "not-spam").encode()) is None


def test_where_a_mail_is_for() -> None:
    """All headers in which mail servers say it."""
    raw = mail("x", To='"A, B" <a@x.example>, b@x.example', Delivered_To="c@x.example")
    assert addresses(raw) == ["a@x.example", "b@x.example", "c@x.example"]


OUT = [
    "STOP",
    "stop.",
    "Please unsubscribe me",
    "take me off this list!",
    "Don't send me any more emails",
    "Bitte abmelden",
    "Keine Mails mehr bitte",
    "Désabonnez-moi",
    "Quiero darme de baja",
    "Graag afmelden",
    "Proszę mnie wypisać",
]
STAYS = ["Yes please", "When does the shop stop selling it?", "The stop is at the corner", "No, the blue one"]


@pytest.mark.parametrize(("text", "expected"), [*((t, True) for t in OUT), *((t, False) for t in STAYS)])
def test_a_wish_to_leave_is_noticed(text: str, expected: bool) -> None:
    """In a few words and eight languages; not where the words mean something else."""
    assert wants_out(text) is expected
    assert not wants_out(text + " and so on" * 40)


@given(st.binary(max_size=400))
def test_any_bytes_are_some_mail(raw: bytes) -> None:
    """Nobody's bytes raise anything."""
    understood(raw)
    addresses(raw)
    understood(
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n" + raw
    )
    without_quotes(raw.decode("latin-1"))

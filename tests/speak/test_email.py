"""The bytes of a message."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hark.speak.contract import BadAddressError
from hark.speak.email import address, letter
from hark.speak.render import Rendered
from tests.speak.letters import AT

URL = "https://hark.example/u/" + "k1." + "abcDEF123-_" * 12 + ".tagtag"
SAID = Rendered("Grüße, Ada", "<p>Schöne Grüße</p>", "Schöne Grüße\n.\n..\nFrom me\n")


def made(content: Rendered = SAID, to: str = "ada@shop.example", unsubscribe: str | None = URL) -> bytes:
    sender = address("Der Shop <hello@shop.example>")
    return letter(
        content, message="ab" * 16, source=sender, target=address(to), at=AT, unsubscribe=unsubscribe
    ).data


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def words(part: Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_letter_has_the_headers_of_rfc_5322() -> None:
    """From, To, Subject, Date and Message-ID are there, once, and mean what was given."""
    mail = read(made())
    assert (mail["From"], mail["To"]) == ("Der Shop <hello@shop.example>", "ada@shop.example")
    assert mail["Subject"] == "Grüße, Ada"
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert mail["Message-ID"] == f"<{'ab' * 16}@shop.example>"
    assert len(mail.keys()) == len(set(mail.keys()))


def test_one_click_unsubscribe_follows_rfc_8058() -> None:
    """Both headers of RFC 8058 are there, each unfolded and unencoded on a line of its own."""
    lines = made().split(b"\r\n")
    assert f"List-Unsubscribe: <{URL}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_transactional_letter_has_no_list_headers() -> None:
    """What a person's own action called for cannot be unsubscribed from."""
    assert not [name for name in read(made(unsubscribe=None)) if name.startswith("List-")]


def test_both_parts_say_what_was_rendered() -> None:
    """Text and HTML are alternatives, text first, UTF-8, whole."""
    mail = read(made())
    assert mail.get_content_type() == "multipart/alternative"
    parts = list(mail.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [words(part) for part in parts] == [SAID.text, SAID.html]


def test_text_alone_is_not_multipart() -> None:
    """A message without HTML is a plain text/plain message."""
    mail = read(made(Rendered("s", None, "Hi\n")))
    assert mail.get_content_type() == "text/plain"
    assert words(mail) == "Hi\n"


def test_the_bytes_are_the_same_each_time() -> None:
    """The same message at the same moment is the same bytes: nothing in it is drawn by chance."""
    assert made() == made()


@given(st.text(max_size=200).filter(lambda s: s.isprintable() and s.strip()))
def test_any_subject_arrives_in_lines_smtp_can_carry(subject: str) -> None:
    """A subject of any characters and length arrives; no line of a header is longer than 998 bytes."""
    data = made(Rendered(" ".join(subject.split()), None, "x\n"))
    assert read(data)["Subject"] == " ".join(subject.split())
    assert max(map(len, data.split(b"\r\n"))) <= 998


@given(st.text(max_size=300))
def test_any_text_makes_lines_smtp_can_carry(text: str) -> None:
    """Whatever the text part holds, the message has CRLF line ends and short lines only."""
    data = made(Rendered("s", f"<p>{text}</p>", text * 10))
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n"), min_size=1, max_size=300))
def test_any_text_arrives_as_it_was_written(text: str) -> None:
    """What the customer's mail program reads is the text that was rendered, character for character."""
    assert words(read(made(Rendered("s", None, text)))) == text


def test_names_outside_ascii_arrive() -> None:
    """A sender called outside ASCII or with a comma is read back under that name, at one address."""
    for name in ("Bücher, Müller & Söhne", "Shop, Ltd"):
        source = address(f'"{name}" <hello@shop.example>')
        target = address("ada@shop.example")
        data = letter(SAID, message="m", source=source, target=target, at=AT, unsubscribe=None).data
        (found,) = read(data)["From"].addresses
        assert (found.display_name, found.addr_spec) == (name, "hello@shop.example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@shop.example",
        "ada@shop.example\r\nBcc: eve@x.example",
        "ada@shop.example\nDATA",
        "ada@shop.example, eve@x.example",
        "ada@shop.example,eve@x.example",
        "ada@shop.example> SIZE=1",
        "<ada@shop.example> eve@x.example",
        "ada@shop.example\x00",
        "a da@shop.example",
        "adä@shop.example",
        "ada@sh op.example",
        "ada@" + "ü" * 300 + ".example",
        "ada@[127.0.0.1",
        "ada@@shop.example",
        '"ada\r\n"@shop.example',
        "ada(comment@shop.example",
        "a" * 400 + "@shop.example",
    ],
)
def test_what_is_no_single_address_is_refused(text: str) -> None:
    """Injected headers, commands, second recipients and broken addresses are an error, not an envelope."""
    with pytest.raises(BadAddressError):
        address(text)


@given(st.text('ab@.,<>"()\r\n :;\\é', max_size=30))
def test_an_accepted_address_is_one_safe_word(text: str) -> None:
    """Whatever is accepted has no space, bracket or line break in it and exactly one domain."""
    try:
        spec = address(text).addr_spec
    except BadAddressError:
        return
    assert spec.isascii()
    assert not set(spec) & set(" <>\r\n,;")
    assert spec.count("@") == 1


def test_an_international_domain_is_written_in_ascii() -> None:
    """A domain outside ASCII is written as its IDNA name (RFC 3490's Bücher example)."""
    assert address("ada@bücher.example").addr_spec == "ada@xn--bcher-kva.example"


@given(st.text(max_size=120).filter(lambda s: s.isprintable() and s.strip()))
def test_the_letter_is_what_the_library_writes(subject: str) -> None:
    """Read by the library and written by its own policy, every letter is the same, byte for byte."""
    data = made(Rendered(" ".join(subject.split()), "<p>x</p>", "x\n"))
    theirs = policy.compat32.clone(linesep="\r\n", max_line_length=998)
    assert message_from_bytes(data, policy=theirs).as_bytes(policy=theirs) == data


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: x@y.example", "a\nBcc: x@y.example", "a\r", "a\n\n b", "a\n \n b"]
)
def test_no_header_begins_another(value: str) -> None:
    """Whatever a caller hands over as a header of a provider's."""
    source, target = address("hello@shop.example"), address("ada@shop.example")
    with pytest.raises(ValueError, match="before its end"):
        letter(SAID, message="m", source=source, target=target, at=AT, unsubscribe=None, more={"X-A": value})

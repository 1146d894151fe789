"""From a row of the outbox to its outcome, through a real SMTP conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from hark.clock import SetClock
from hark.definitions.document import Document
from hark.model import Outcome
from hark.speak.catcher import Catcher, Misbehaviour
from hark.speak.deliver import Deliverer
from hark.speak.email import ONE_CLICK
from hark.speak.links import Confirm, Unsubscribe
from hark.store.contracts import OutboxRow
from tests.speak.letters import AT, HERE, LINKS, PATIENT, row

HELLO = {
    "channel": "email",
    "subject": "{{ customer.first_name }}, {{ data.percent }} % off {{ event.basket_id }}",
    "html": "<body><p>Dear {{ customer.first_name }} ({{ customer.id }}), {{ campaign.name }} "
    "{{ campaign.version }} {{ campaign.arm }} {{ topic.says }} {{ now | date: '%Y' }}</p></body>",
}
WAY_OUT = HELLO | {"html": "<p>{{ customer.first_name }} <a href='{{ links.unsubscribe }}'>leave</a></p>"}


def documents(catcher: Catcher | None, **templates: Any) -> list[Document]:
    """The documents in force: templates, a topic and, with a catcher, a sender."""
    found = [Document("template", name, 1, body) for name, body in templates.items()]
    found.append(Document("topic", "news", 1, {"says": "What is new"}))
    if catcher:
        body = {"address": "Shop <hello@shop.example>", "host": "127.0.0.1", "port": catcher.port}
        found.append(Document("sender", "smtp", 1, body))
    return found


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as running:
        yield running


def deliverer(given: list[Document], **more: Any) -> Deliverer:
    return Deliverer(lambda: given, LINKS, SetClock(AT), timeouts=PATIENT, allowed=HERE, **more)


def delivered(catcher: Catcher, row: OutboxRow, **templates: Any) -> Outcome:
    return deliverer(documents(catcher, **(templates or {"hello": HELLO})))(row)


def test_a_row_becomes_a_message_and_its_outcome_the_next_input(catcher: Catcher) -> None:
    """What the row holds is what the customer reads; the outcome names subject, message and instant."""
    assert delivered(catcher, row(7)) == Outcome(7, AT, f"{7:032x}", "sent", "2.0.0 kept")
    mail = catcher.caught[0].message()
    assert (mail["To"], mail["Subject"]) == ("ada7@shop.example", "Ada, 10 % off b7")
    body = mail.get_body(("html",))
    assert body is not None
    assert "Dear Ada (ada), come_back 3 treated What is new 2023" in body.get_content()
    assert mail["Message-ID"] == f"<{7:032x}@shop.example>"


def test_the_unsubscribe_link_is_bound_to_who_reads_what(catcher: Catcher) -> None:
    """Header and body carry the same link: this subject, this topic, this channel, this message."""
    delivered(catcher, row(7), hello=WAY_OUT)
    mail = catcher.caught[0].message()
    url = str(mail["List-Unsubscribe"]).strip("<>")
    assert mail["List-Unsubscribe-Post"] == ONE_CLICK
    assert LINKS.read(url.removeprefix("https://hark.example/u/")) == Unsubscribe(
        7, "news", "email", f"{7:032x}"
    )
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().count(url) == html.get_content().count(url) == 1


def test_a_template_that_forgot_the_way_out_gets_one(catcher: Catcher) -> None:
    """Each part of a message about a topic has a visible unsubscribe link even if the author wrote none."""
    delivered(catcher, row())
    mail = catcher.caught[0].message()
    url = str(mail["List-Unsubscribe"]).strip("<>")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert f"Unsubscribe: {url}" in text.get_content()
    assert f'href="{url}"' in html.get_content().split("</body>")[0]


def test_a_transactional_message_has_no_way_out(catcher: Catcher) -> None:
    """Without a topic, or where it is transactional all the same, there is neither the header nor a link."""
    assert delivered(catcher, row(topic=None), hello=WAY_OUT).detail == "missing_variable: links.unsubscribe"
    body = HELLO | {"html": "<p>Your receipt</p>"}
    assert delivered(catcher, row(topic=None), hello=body).state == "sent"
    assert delivered(catcher, row(transactional=True), hello=body).state == "sent"
    for caught in catcher.caught:
        assert caught.message()["List-Unsubscribe"] is None
        assert b"/u/" not in caught.data


def test_the_confirmation_asks_with_a_link_that_confirms(catcher: Catcher) -> None:
    """The built-in `_confirm` names the topic and carries a confirm link, and no list headers."""
    assert delivered(catcher, row(9, template="_confirm")).state == "sent"
    mail = catcher.caught[0].message()
    assert mail["Subject"] == "Please confirm: What is new"
    assert mail["List-Unsubscribe"] is None
    text = mail.get_body(("plain",))
    assert text is not None
    (url,) = [word for word in text.get_content().split() if word.startswith("https://")]
    assert LINKS.read(url.removeprefix("https://hark.example/c/")) == Confirm(9, "news", "email", f"{9:032x}")


@pytest.mark.parametrize(
    ("given", "detail", "permanent"),
    [
        (row(customer={"id": "x"}), "missing_variable: customer.first_name", False),
        (row(customer={"id": "x", "first_name": " "}), "missing_variable: customer.first_name", False),
        (row(template="gone"), "no_template: ", False),
        (row(template="broken"), "template_error: ", False),
        (row(template="endless"), "too_large: ", False),
        (row(to="nobody"), "bad_address: ", True),
        (row(to="ada@shop.example\r\nBcc: eve@x.example"), "bad_address: ", True),
        (row(to="ada@shop.example, eve@x.example"), "bad_address: ", True),
        (row(to=None), "bad_address: ", True),
    ],
)
def test_what_cannot_be_said_fails_with_a_named_reason(
    given: OutboxRow, detail: str, permanent: bool, catcher: Catcher
) -> None:
    """Nothing is sent for a missing variable, template or address; the detail begins with the reason."""
    templates = {
        "hello": HELLO,
        "broken": HELLO | {"html": "{% if %}"},
        "endless": HELLO | {"html": "{% for i in (1..99999999) %}x{% endfor %}"},
    }
    outcome = delivered(catcher, given, **templates)
    assert (outcome.state, outcome.permanent, outcome.temporary) == ("failed", permanent, False)
    assert outcome.detail.startswith(detail)
    assert not catcher.caught


def test_without_a_sender_nothing_is_lost_and_the_reason_is_plain(catcher: Catcher) -> None:
    """Without a sender the outcome is temporary and says what is missing; one given in code serves."""
    bare = documents(None, hello=HELLO)
    outcome = deliverer(bare)(row())
    assert (outcome.state, outcome.temporary) == ("failed", True)
    assert outcome.detail.startswith("no sender for email")
    assert deliverer(bare, sender=catcher.sender())(row()).state == "sent"
    assert deliverer(documents(catcher, hello=HELLO), sender=Catcher().sender())(row()).state == "sent"


def test_a_new_version_of_a_document_is_used_at_once(catcher: Catcher) -> None:
    """A template applied while the deliverer runs is the one the next message is made of."""
    given = documents(catcher, hello=HELLO)
    deliver = deliverer(given)
    assert deliver(row(1)).state == "sent"
    given[0] = Document("template", "hello", 2, HELLO | {"subject": "Changed"})
    assert deliver(row(2)).state == "sent"
    assert [caught.message()["Subject"] for caught in catcher.caught] == ["Ada, 10 % off b7", "Changed"]


def test_a_document_that_cannot_be_read_fails_the_message_and_never_the_thread(catcher: Catcher) -> None:
    """If reading the definitions raises the outcome is a failure for now: the team may mend them."""
    outcome = delivered(catcher, row(), hello={"no": "template"})
    assert (outcome.state, outcome.temporary) == ("failed", True)
    assert not catcher.caught


@pytest.mark.parametrize(
    ("wrong", "state", "temporary", "permanent"),
    [
        (Misbehaviour("RCPT", reply="451 4.3.0 later"), "failed", True, False),
        (Misbehaviour("RCPT", reply="550 5.1.1 gone"), "failed", False, True),
        (Misbehaviour("DATA", cut=True), "unknown", False, False),
    ],
)
def test_the_server_s_word_becomes_the_outcome(
    wrong: Misbehaviour, state: str, temporary: bool, permanent: bool, catcher: Catcher
) -> None:
    """Temporary, permanent and unknown reach the engine as what they are."""
    catcher.misbehave(wrong)
    outcome = delivered(catcher, row())
    assert (outcome.state, outcome.temporary, outcome.permanent) == (state, temporary, permanent)


def test_the_same_row_at_the_same_moment_is_the_same_bytes(catcher: Catcher) -> None:
    """A message is byte-stable: whoever sends it again by mistake can be found out by comparing."""
    deliver = deliverer(documents(catcher, hello=HELLO))
    assert [deliver(row()).state for _ in range(2)] == ["sent", "sent"]
    first, second = catcher.caught
    assert first.data == second.data
    assert replace(first) == second

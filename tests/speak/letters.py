"""What the tests of this folder write about, and to whom."""

from __future__ import annotations

from typing import Any

from hark.definitions.types import Template
from hark.speak.links import Key, Links
from hark.speak.places import Allowed
from hark.speak.wire import Timeouts
from hark.store.contracts import OutboxRow

AT = 1_700_000_000_000_000
"""2023-11-14 22:13:20 UTC."""
LINKS = Links("https://hark.example", (Key("k1", "an-old-secret-of-thirty-two-chars"),))
HERE = Allowed.of(["127.0.0.1"])
"""This machine may be reached: where the tests' servers are."""
PATIENT = Timeouts(connect_s=20, command_s=20, final_s=20)
"""For servers that answer: on a busy machine not soon."""
SOON = Timeouts(connect_s=20, command_s=20, final_s=0.3)
"""For an answer that never comes."""
HELLO = Template(
    name="hello",
    channel="email",
    subject="Hello {{ customer.first_name }}",
    html="<p>Dear {{ customer.first_name }}, look at <a href='https://shop.example/new'>this</a>.</p>",
)


def template(**parts: str) -> Template:
    """A template of the parts given; without any body its text is "x"."""
    body: dict[str, Any] = {"subject": "s", **parts}
    if not body.keys() & {"mjml", "html", "text"}:
        body["text"] = "x"
    return Template(name="t", channel="email", **body)


def row(number: int = 1, template: str = "hello", topic: str | None = "news", **content: Any) -> OutboxRow:
    """A row marked *sending* for a customer called Ada; `content` replaces parts of its content."""
    given = {
        "to": f"ada{number}@shop.example",
        "customer": {"id": "ada", "first_name": "Ada"},
        "event": {"basket_id": "b7"},
        "data": {"percent": 10},
        "version": 3,
        "arm": "treated",
        "topic": topic,
    }
    return OutboxRow(
        message=f"{number:032x}",
        subject=number,
        campaign="come_back",
        run="r1",
        template=template,
        channel="email",
        state="sending",
        due_at=AT,
        updated_at=AT,
        content=given | content,
    )

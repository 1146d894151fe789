"""How many MJML mails one core renders in a second, each with other data, layout and template compiled once.

    python -m bench.render [--seconds N]

Prints one JSON document: `mails_per_s` (the bar is 2,000) of processor time for the rendering alone, and
`letters_per_s` for whole letters (counted links, the way out, MIME).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from hark.clock import instant
from hark.definitions.parse import parse
from hark.definitions.types import Policy
from hark.model import JSON
from hark.speak.book import Book
from hark.speak.compose import compose, template_data
from hark.speak.contract import Verdict
from hark.speak.email import address, letter
from hark.speak.links import Key, Links
from hark.speak.render import Rendered, render
from hark.store.contracts import OutboxRow

AT = instant("2026-03-01T09:00:00Z")
LINKS = Links("https://hark.example", (Key("k1", "x" * 32),))
DEFINITIONS = """
topic: news
says: What is new
---
layout: main
mjml: |
  <mjml><mj-head><mj-preview>New for you</mj-preview>
  <mj-attributes><mj-all font-family="Helvetica"/></mj-attributes></mj-head>
  <mj-body background-color="#f3f4f6">
  <mj-section background-color="#ffffff"><mj-column>
  <mj-image src="https://shop.example/logo.png" alt="Shop" width="120px"/></mj-column></mj-section>
  {{ content }}
  <mj-section><mj-column><mj-text font-size="12px">12 High Street.
  <a href="{{ links.unsubscribe }}">Leave</a></mj-text></mj-column></mj-section>
  </mj-body></mjml>
---
template: whats_new
channel: email
subject: "{{ customer.first_name | default: 'Hello' }}, new this week"
layout: main
mjml: |
  <mj-section background-color="#ffffff"><mj-column>
  <mj-text font-size="20px">Dear {{ customer.first_name | default: 'friend' }},</mj-text>
  <mj-text>your last order was on {{ event.at | date: '%d %B' }}, {{ event.revenue }} pounds.</mj-text>
  <mj-raw>{% for one in event.items %}</mj-raw>
  <mj-text><a href="https://shop.example/p/{{ one.sku }}">{{ one.name }}</a>: {{ one.price }}</mj-text>
  <mj-raw>{% endfor %}</mj-raw>
  <mj-button href="https://shop.example/new?from=mail">See what is new</mj-button></mj-column></mj-section>
"""


def row(number: int) -> OutboxRow:
    items = [{"sku": f"s{number}-{n}", "name": f"Tea {n}", "price": 3 + n} for n in range(5)]
    content: dict[str, JSON] = {
        "to": f"c{number}@shop.example",
        "customer": {"id": f"c{number}", "first_name": f"Ada {number}"},
        "event": {"at": "2026-02-01T10:00:00Z", "revenue": number % 90, "items": items},
        "topic": "news",
        "version": 1,
        "arm": "a",
    }
    return OutboxRow(f"{number:032x}", number, "c", "r", "whats_new", "email", "sending", AT, AT, content)


def rate(make: Callable[[OutboxRow], object], seconds: float) -> float:
    """Messages in a second of processor time."""
    make(row(0))
    began, done = time.process_time(), 0
    while time.process_time() - began < seconds:
        for _ in range(100):
            done += 1
            make(row(done))
    return done / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    given = [one.definition for one in parse(DEFINITIONS)]
    book = Book.of([*given, Policy("tracking", opens=True, clicks=True)])
    template, source = book.templates["whats_new"], address("Shop <hello@shop.example>")

    def rendered(one: OutboxRow) -> Rendered:
        said = render(template, template_data(one, book, LINKS, AT))
        assert isinstance(said, Rendered), said
        return said

    def written(one: OutboxRow) -> Any:
        made = compose(one, book, LINKS, AT)
        assert not isinstance(made, Verdict), made
        said, to = made
        return letter(
            said, message=to.message, source=source, target=address(to.to), at=AT, unsubscribe=to.unsubscribe
        )

    size = len(rendered(row(1)).html or "")
    answer = {"mails_per_s": round(rate(rendered, seconds)), "letters_per_s": round(rate(written, seconds))}
    print(json.dumps({**answer, "html_bytes": size, "bar": 2_000}))


if __name__ == "__main__":
    main()

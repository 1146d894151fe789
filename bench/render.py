"""How many MJML mails one core renders in a second, each with other data, layout and template compiled once.

    python -m bench.render [--seconds N]

Prints one JSON document: `mails_per_s` (the bar is 2,000) of processor time for the rendering alone, and
`letters_per_s`, each in all and in the best window, for whole letters (counted links, the way out,
MIME); `worst_ms` of processor time that any of the hostile templates takes (the bar is 50).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from liquid.exceptions import LiquidError

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
from hark.speak.sandbox import parsed, rendered
from hark.store.contracts import OutboxRow

WINDOW = 50
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


_BIG: dict[str, JSON] = {
    "text": "a," * 16_000,
    "tags": "<b>" * 10_000,
    "marks": "&" * 32_000,
    "lines": "\n" * 32_000,
    "numbers": list(range(16_000)),
    "objects": [{"k": one % 7, "n": str(one)} for one in range(2_000)],
    "same": ["x"] * 8_000,
}
HOSTILE_DATA: dict[str, JSON] = {**_BIG, "now": "2026-03-01T09:00:00+00:00"}
HOSTILE = {
    "one long loop": "{% for i in (1..10000) %}{{ i }}{% endfor %}",
    "loops in loops": "{% for i in (1..100) %}{% for j in (1..100) %}{{ j }}{% endfor %}{% endfor %}",
    "growing": "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 30 + "{{ x }}",
    "much text": "{{ text }}" * 9_000,
    "many marks": "{% if numbers %}x{% endif %}" * 9_000,
    "names": "".join(f"{{% assign v{one} = text %}}" for one in range(5_000)),
    **{
        f"{value} | {name}": f"{{% assign y = {value} | {name} %}}" * 300
        for value in _BIG
        for name in (
            *(
                "uniq",
                "map: numbers",
                "sum: 'k'",
                "sort_natural: 'k'",
                "where: 'k'",
                "strip_html",
                "escapejs",
            ),
            *("url_encode", "newline_to_br", "replace: ',', 'yyyyyyyy'", "split: ',' | join: ';'", "upcase"),
        )
    },
}
"""Templates that are meant to take long, with data as large as an event can be."""


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


def rates(make: Callable[[OutboxRow], object], seconds: float) -> tuple[int, int]:
    """Messages in a second of processor time, in all and in the best window of 50: on a busy machine others
    take caches and turns, and only the best windows are the program's own."""
    make(row(0))
    windows: list[float] = []
    while sum(windows) < seconds:
        rows = [row(len(windows) * WINDOW + number) for number in range(WINDOW)]
        began = time.process_time()
        for one in rows:
            make(one)
        windows.append(time.process_time() - began)
    return round(len(windows) * WINDOW / sum(windows)), round(WINDOW / min(windows))


def worst() -> tuple[float, str]:
    """Milliseconds of processor time of the hostile template that takes longest, and its name."""
    return max((min(_taken_ms(source) for _ in range(5)), name) for name, source in HOSTILE.items())


def _taken_ms(source: str) -> float:
    parsed(source, False)
    began = time.process_time()
    with suppress(LiquidError):
        rendered(source, HOSTILE_DATA, html=False)
    return (time.process_time() - began) * 1_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    given = [one.definition for one in parse(DEFINITIONS)]
    book = Book.of([*given, Policy("tracking", opens=True, clicks=True)])
    template, source = book.templates["whats_new"], address("Shop <hello@shop.example>")

    def made(one: OutboxRow) -> Rendered:
        said = render(template, template_data(one, book, LINKS, AT))
        assert isinstance(said, Rendered), said
        return said

    def written(one: OutboxRow) -> Any:
        composed = compose(one, book, LINKS, AT)
        assert not isinstance(composed, Verdict), composed
        said, to = composed
        return letter(
            said, message=to.message, source=source, target=address(to.to), at=AT, unsubscribe=to.unsubscribe
        )

    size = len(made(row(1)).html or "")
    mails, letters = rates(made, seconds), rates(written, seconds)
    answer = {"mails_per_s": mails[0], "best_mails_per_s": mails[1], "letters_per_s": letters[0]}
    answer["best_letters_per_s"] = letters[1]
    took_ms, which = worst()
    hostile = {"worst_ms": round(took_ms, 1), "worst": which, "hostile": len(HOSTILE)}
    print(json.dumps({**answer, "html_bytes": size, "bar": 2_000, **hostile}))


if __name__ == "__main__":
    main()

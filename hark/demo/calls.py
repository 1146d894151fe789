"""What a visit looks like on the wire: the calls a Segment client of the shop would send."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TypeAlias

from hark.clock import moment
from hark.demo.life import STEP_US, VIEW_US, Customer, Visit
from hark.model import JSON, SECOND, Instant

TOPIC = "news"
READ_US = STEP_US // 2
"""After the last product looked at."""
PRODUCTS = (
    "Kettle", "Teapot", "Apron", "Lamp", "Blanket", "Notebook", "Mug", "Vase", "Candle", "Basket",
)  # fmt: skip
NAMES = ("Ada", "Ben", "Cleo", "Dara", "Eve", "Finn", "Gita", "Hugo", "Ines", "Jack", "Kira", "Liam")
SITE = "https://shop.example"
TEXTS = (
    ("/guides/choosing-a-kettle", "Choosing a kettle", 640),
    ("/blog/wool/washing-a-blanket", "Washing a wool blanket", 380),
    ("/guides/light/a-lamp-to-read-by", "A lamp to read by", 900),
)
"""Path, title and words of what the shop has to read."""
READS = 0.3
"""Of visits, how many go with reading one of them."""
STEPS = ("Product Added", "Checkout Started", "Order Completed")

TimedCall: TypeAlias = tuple[Instant, JSON]


def joining(one: Customer) -> Iterator[TimedCall]:
    """A customer's first minutes: a page seen without a name, then signing up."""
    at, anonymous = one.visits[0].at - 30 * SECOND, f"a-{one.id}"
    yield timed(at, {"type": "page", "anonymousId": anonymous, "name": "Home", "messageId": f"{one.id}-home"})
    traits = {
        "email": one.email,
        "first_name": NAMES[one.number % len(NAMES)],
        "country": one.country,
        "timezone": ZONES[one.country],
    }
    who = {"userId": one.id, "anonymousId": anonymous}
    yield timed(
        at + 10 * SECOND, {"type": "identify", **who, "traits": traits, "messageId": f"{one.id}-identify"}
    )
    yield timed(at + 10 * SECOND, track(one, "Signed Up", {"country": one.country}, "signed-up"))
    if one.subscribed:
        consent = {"topic": TOPIC, "channel": "email"}
        yield timed(at + 20 * SECOND, track(one, "Subscription Requested", consent, "subscribed"))


ZONES = {"GB": "Europe/London", "IE": "Europe/Dublin", "DE": "Europe/Berlin", "FR": "Europe/Paris"}


def visiting(one: Customer, visit: Visit, name: str) -> Iterator[TimedCall]:
    """The calls of one visit; `name` tells it from the customer's others."""
    came = {"medium": "email"} if visit.prompted else {}
    for number in range(visit.views):
        product = PRODUCTS[(one.number + number + len(name)) % len(PRODUCTS)]
        at, seen = visit.at + number * VIEW_US, {"product": product, **came}
        yield timed(at, track(one, "Product Viewed", seen, f"{name}-{number}"))
    order = {"order_id": f"{one.id}-{name}", "revenue": visit.revenue}
    for number, step in enumerate(STEPS[: visit.depth]):
        at, properties = visit.last_view + (number + 1) * STEP_US, order if step == STEPS[-1] else {}
        yield timed(at, track(one, step, properties, f"{name}-{step.split()[0]}"))
    yield from _reading(one, visit, name)


def _reading(one: Customer, visit: Visit, name: str) -> Iterator[TimedCall]:
    """What the reading script would tell: by a stream of its own, so that nothing else hangs on it."""
    chance = Random(f"{one.seed}/{one.number}/{name}/reads")
    path, title, words = chance.choice(TEXTS)
    if chance.random() < READS:
        told = {"content": path, "url": SITE + path, "title": title, "words": words}
        told["active_s"] = round(words / 4 * chance.uniform(0.5, 1.5))
        yield timed(visit.last_view + READ_US, track(one, "Content Read", told, f"{name}-read"))


def track(one: Customer, event: str, properties: JSON, name: str) -> JSON:
    return {
        "type": "track",
        "userId": one.id,
        "event": event,
        "properties": properties,
        "messageId": f"{one.id}-{name}",
    }


def timed(at: Instant, call: JSON) -> TimedCall:
    return at, {**call, "timestamp": moment(at).isoformat()}

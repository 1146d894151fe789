"""Which item of the catalogue a step sends: the one rule, for live, replay and back-test alike.

Of the items that are offered now, serve the customer's stage, and have what the step asks for, those that
they have neither read nor been sent are left. Of these comes first

1. the one with the most in common: of the topics that the step names, as many as the item has; where it names
   none, for each of the item's topics the number of items of that topic that the customer has read;
2. the more particular one: for fewer stages;
3. the one whose hash with the customer's stable key is lowest, so that where nothing tells them apart
   different people get different items, and the same person always the same.

Who is left alone gets none, but what they would have been sent counts as sent to them
(`conditions.acquainted`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from hark.clock import unit_hash
from hark.decide.levels import level_of
from hark.decide.limits import Withhold
from hark.decide.reasons import Held
from hark.decide.work import Work
from hark.definitions.contents import Content, Picking
from hark.definitions.engagement import PURCHASE
from hark.model import Instant, Record, Run
from hark.understand.conditions.acquainted import ACQUAINTED, scope_of

PENDING = ("wanted", "sending", "unknown")
EACH_STAGE = 1_000
"""An item for each stage is the least particular."""


def pick(work: Work, asked: Picking, run: Run | None = None) -> Content | Withhold:
    """The item for this customer now, for a run or (None) for whoever asks; or why there is none."""
    stage = asked.stage or stage_of(work)
    items = work.plan.contents
    fitting = [one for one in items.values() if fits(one, asked, stage, work.now)]
    gone = {one.name for one in items.values() if has_read(work.record, one)} | _sent(work.record, run)
    left = [one for one in fitting if one.name not in gone]
    if not left:
        return Withhold(Held.NO_CONTENT, {"stage": stage, "fit": len(fitting), "items": len(items)})
    interest = dict.fromkeys(asked.topics, 1) or interests(work.record, items.values())
    return min(left, key=lambda one: rank(one, interest, work.record.key))


def fits(item: Content, asked: Picking, stage: str, now: Instant) -> bool:
    """Whether the item may be sent now to somebody at this stage, and is what the step asks for."""
    return (
        item.offered(now)
        and (not item.stages or stage in item.stages)
        and (not asked.formats or item.format in asked.formats)
        and (not asked.topics or not set(asked.topics).isdisjoint(item.topics))
    )


def rank(item: Content, interest: Mapping[str, int], key: str) -> tuple[int, int, float, str]:
    """The lowest comes first; `interest`: what each topic counts."""
    common = sum(interest.get(topic, 0) for topic in item.topics)
    return -common, len(item.stages) or EACH_STAGE, unit_hash(f"content/{item.name}", key), item.name


def interests(record: Record, items: Iterable[Content]) -> Counter[str]:
    """By topic, how many items of it the customer has read."""
    return Counter(topic for one in items if has_read(record, one) for topic in one.topics)


def has_read(record: Record, item: Content) -> bool:
    """Whether the customer has read it, under whichever of its names."""
    read = ACQUAINTED.read(record.summaries)
    return bool(read) and not item.known_as.isdisjoint(read)


def stage_of(work: Work) -> str:
    """The customer's stage of the decision to buy."""
    ladder = work.plan.levels[PURCHASE]
    return level_of(work.record, ladder) or ladder.floor


def _sent(record: Record, run: Run | None) -> set[str]:
    """The items that have been sent, that are on their way, and for who is left alone would have been."""
    found = {*ACQUAINTED.sent(record.summaries), *_on_their_way(record)}
    if run is not None and run.shadow:
        found |= ACQUAINTED.would_have(record.summaries, scope_of(run.campaign, run.arm))
    return found


def _on_their_way(record: Record) -> Iterator[str]:
    return (one.content for one in record.sends if one.content and one.state in PENDING)

"""What must hold of the catalogue: its stages are there, no two items have one address, and steps ask for
what there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hark.definitions.contents import Content, Picking
from hark.definitions.engagement import PURCHASE
from hark.definitions.levels import Stage
from hark.definitions.problems import Problem, nearest
from hark.definitions.steps import every
from hark.definitions.types import Campaign, Definition, Send
from hark.definitions.yaml import Node
from hark.understand.addresses import canonical

if TYPE_CHECKING:
    from hark.definitions.parse import Parsed

Names = Mapping[str, Mapping[str, Definition]]
"""Kind, then name, to what stands there."""


def problems(parsed: Sequence[Parsed], known: Names) -> list[Problem]:
    """What is wrong with the items wanted, and with what is asked of the catalogue."""
    items = [one for one in known.get("content", {}).values() if isinstance(one, Content)]
    stage = known["stage"][PURCHASE]
    assert isinstance(stage, Stage)
    found: list[Problem] = []
    for document in parsed:
        match document.definition:
            case Content() as item:
                found += [*_stages(document, item, stage), *_addresses(document, item, items)]
            case Stage() as wanted:
                found += _left_over(document, wanted, items)
            case Campaign() as campaign:
                found += _campaign(document, campaign, items, stage)
    return found


def _stages(document: Parsed, item: Content, stage: Stage) -> Iterator[Problem]:
    for place, name in enumerate(item.stages):
        if not stage.known(name):
            yield _no_stage(document, document.line_of("stage", place), name, stage)


def _no_stage(document: Parsed, line: int, name: str, stage: Stage) -> Problem:
    hint = nearest(name, (stage.floor, *stage.names))
    return Problem(document.file, line, f'there is no stage "{name}" in {stage.name}', hint)


def _addresses(document: Parsed, item: Content, items: Iterable[Content]) -> Iterator[Problem]:
    """By its address alone it is known which item somebody read."""
    mine = {canonical(item.url): "url", **{canonical(one): "also" for one in item.also}}
    for other in items:
        if other.name == item.name:
            continue
        for address in sorted(mine.keys() & {canonical(other.url), *map(canonical, other.also)}):
            line = document.line_of(mine[address])
            message = f"{address} is the address of content {other.name} already"
            yield Problem(document.file, line, message, "one item for each address")


def _left_over(document: Parsed, stage: Stage, items: Iterable[Content]) -> Iterator[Problem]:
    """Stages that are gone, and that an item in force still names."""
    for item in items:
        for name in item.stages:
            if not stage.known(name):
                line, message = document.line_of("stages"), f'content {item.name} is for the stage "{name}"'
                yield Problem(document.file, line, message, "keep the stage, or change the item with it")


def _campaign(
    document: Parsed, campaign: Campaign, items: Sequence[Content], stage: Stage
) -> Iterator[Problem]:
    steps = [step for variant in campaign.variants for step in every(variant.steps) if isinstance(step, Send)]
    for step, node in zip(steps, _sends(document.node), strict=True):
        if step.content is not None:
            assert isinstance(node.value, dict)
            yield from _asked(document, node.value["content"], step.content, items, stage)


def _asked(
    document: Parsed, node: Node, asked: Picking, items: Sequence[Content], stage: Stage
) -> Iterator[Problem]:
    if not items:
        hint = "write content documents, or begin with those of hark content --seen"
        yield Problem(document.file, node.line, "there is no content to choose from yet", hint)
        return
    if asked.stage is not None and not stage.known(asked.stage):
        yield _no_stage(document, node.line, asked.stage, stage)
    topics = {topic for one in items for topic in one.topics}
    formats = {one.format for one in items}
    for what, words, there in (("topic", asked.topics, topics), ("format", asked.formats, formats)):
        for word in words:
            if word not in there:
                message = f'no content has the {what} "{word}"'
                yield Problem(document.file, node.line, message, nearest(word, there))


def _sends(node: Node) -> Iterator[Node]:
    """What stands under each `send`, in the order of the text, which is that of the steps."""
    children = node.value
    if isinstance(children, list):
        for child in children:
            yield from _sends(child)
    for name, child in children.items() if isinstance(children, dict) else ():
        if name == "send" and isinstance(child.value, dict):
            yield child
        elif name not in ("with", "traits", "body"):
            yield from _sends(child)

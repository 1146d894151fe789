"""A campaign's journey as a drawing: boxes and lines in pixels, top to bottom, from its definition alone.

Every block (a step, a list of steps, ways side by side) is laid out by itself and keeps its middle: what
comes in enters at the middle of its top, what goes on leaves at the middle of its bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from msgspec import Struct
from msgspec.structs import replace

from hark.definitions.sentences import of_goal, of_step, who
from hark.definitions.types import Branch, Campaign, Leave, Send, Split, Step, Task, Wait, Way, Webhook

WIDE, LINE, PAD = 232.0, 18.0, 11.0
"""Pixels: a box's width, a line of text, the space above the first and below the last."""
DOWN, APART, LABEL = 26.0, 20.0, 40.0
"""Between two boxes, between ways side by side, and from a fork to its ways, with room for their names."""
TURN = 12.0
"""How far from its end a line turns."""
LETTERS = 28
"""In a line of text."""
MOST_LINES = 4
ALONE = "left alone"
"""In a count of those who are."""
KINDS: Mapping[type, str] = {
    Send: "send", Webhook: "send", Task: "send", Wait: "wait", Branch: "fork", Split: "fork", Leave: "end"
}  # fmt: skip


class Box(Struct, frozen=True):
    """A rectangle with text; x and y are its upper left corner."""

    x: float
    y: float
    height: float
    kind: str
    """start, draw, send, wait, fork, do, end or goal."""
    text: tuple[str, ...]
    says: str
    """The whole text, where the lines are cut."""
    variant: str = ""
    step: str = ""
    """The id of the step that it stands for; "" for one that stands for none."""
    link: str = ""
    counts: tuple[str, ...] = ()
    """What is there now and was done so far, a line each; of those left alone the last."""

    @property
    def width(self) -> float:
        return WIDE

    @property
    def lines(self) -> list[tuple[float, float, str, str]]:
        """(x, baseline, text, "" or what kind of count it is) of each line."""
        written = [(one, "") for one in self.text]
        written += [(one, "count alone" if ALONE in one else "count") for one in self.counts]
        return [
            (self.x + 12, self.y + PAD + LINE * place + 13, one, count)
            for place, (one, count) in enumerate(written)
        ]


class Line(Struct, frozen=True):
    """A way from one point to another, with its name at the end."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str = ""
    says: str = ""
    arrow: bool = True

    @property
    def path(self) -> str:
        """Down, across, down: across at once where ways part, at last where they meet, so that none crosses
        a box."""
        if self.x1 == self.x2:
            return f"M{self.x1:g} {self.y1:g}V{self.y2:g}"
        middle = self.y1 + TURN if self.label else self.y2 - TURN
        return f"M{self.x1:g} {self.y1:g}V{middle:g}H{self.x2:g}V{self.y2:g}"


class Block(Struct, frozen=True):
    """Boxes and lines, with the size they take; `open` says whether anybody goes on below it."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    open: bool = True

    def moved(self, x: float, y: float) -> Block:
        boxes = tuple(replace(one, x=one.x + x, y=one.y + y) for one in self.boxes)
        lines = tuple(
            replace(one, x1=one.x1 + x, x2=one.x2 + x, y1=one.y1 + y, y2=one.y2 + y) for one in self.lines
        )
        return replace(self, boxes=boxes, lines=lines)


class Diagram(Struct, frozen=True):
    """The whole drawing."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


Counts = Mapping[tuple[str, str], Sequence[str]]
"""By variant and step id what its box says of counts; ("", "start") and ("", "goal") are the ends'."""


def diagram(campaign: Campaign, counts: Counts | None = None) -> Diagram:
    """The journey of one version, with counts if there are any."""
    given = counts or {}
    blocks = [_box("start", who(campaign), given, step="start"), _middle(campaign, given)]
    if campaign.goal:
        goal = f"Goal: they {of_goal(campaign.goal)}"
        blocks.append(_box("goal", goal, given, step="goal"))
    whole = _below([replace(one, open=True) for one in blocks])
    return Diagram(whole.width + 2, whole.height + 2, *_inset(whole))


def _inset(block: Block) -> tuple[tuple[Box, ...], tuple[Line, ...]]:
    moved = block.moved(1, 1)
    return moved.boxes, moved.lines


def _middle(campaign: Campaign, counts: Counts) -> Block:
    """The draw, and the variants below it."""
    said = _drawn(campaign)
    total = sum(one.weight for one in campaign.variants)
    ways = [
        (_named(one.name, one.weight / total), _list(one.steps, one.name, counts))
        for one in campaign.variants
    ]
    if len(ways) == 1:
        return _below([_box("draw", said, counts), ways[0][1]] if said else [ways[0][1]])
    return _forked(_box("draw", said or "By lot", counts), ways)


def _named(name: str, share: float) -> str:
    return f"{name}, {share:.0%}".replace("%", " %")


def _drawn(campaign: Campaign) -> str:
    if not campaign.control:
        return ""
    share = f"{100 * campaign.control:.3g} %"
    return f"By lot: {share} are left alone (control) and walk the same way in shadow"


def _box(kind: str, says: str, counts: Counts, variant: str = "", step: str = "", link: str = "") -> Block:
    says = says[:1].upper() + says[1:]
    text = wrap(says, LETTERS)
    if len(text) > MOST_LINES:
        text = [*text[: MOST_LINES - 1], text[MOST_LINES - 1][: LETTERS - 1] + "…"]
    found = tuple(counts.get((variant, step), ()))
    height = 2 * PAD + LINE * (len(text) + len(found))
    box = Box(0, 0, height, kind, tuple(text), says, variant, step, link, found)
    return Block(WIDE, height, (box,))


def _list(steps: Sequence[Step], variant: str, counts: Counts) -> Block:
    blocks: list[Block] = []
    for step in steps:
        blocks.append(_step(step, variant, counts))
        if not blocks[-1].open:
            break
    return _below(blocks) if blocks else Block(WIDE, 0)


def _step(step: Step, variant: str, counts: Counts) -> Block:
    kind = KINDS.get(type(step), "do")
    if isinstance(step, Branch | Split):
        head = _box(kind, "Which of these holds?" if isinstance(step, Branch) else "By lot", counts)
        return _forked(head, list(_ways(step, variant, counts)))
    link = f"/templates/{step.template}" if isinstance(step, Send) else ""
    found = _box(kind, of_step(step), counts, variant, step.id, link)
    return replace(found, open=not isinstance(step, Leave))


def _ways(step: Branch | Split, variant: str, counts: Counts) -> Iterator[tuple[str, Block]]:
    total = sum(way.weight for way in step.ways)
    for way in step.ways:
        label = _named(way.name, way.weight / total) if isinstance(step, Split) else _asked(way)
        yield label, _list(way.steps, variant, counts)
    if isinstance(step, Branch) and step.ways[-1].when is not None:
        yield "otherwise", Block(WIDE, 0)


def _asked(way: Way) -> str:
    return way.when.sentence() if way.when is not None else "otherwise"


def _below(blocks: Sequence[Block]) -> Block:
    """One under the other, joined by lines."""
    width, y = max(one.width for one in blocks), 0.0
    boxes: list[Box] = []
    lines: list[Line] = []
    for place, block in enumerate(blocks):
        if place:
            if blocks[place - 1].open:
                lines.append(Line(width / 2, y, width / 2, y + DOWN))
            y += DOWN
        put = block.moved((width - block.width) / 2, y)
        boxes, lines, y = [*boxes, *put.boxes], [*lines, *put.lines], y + block.height
    return Block(width, y, tuple(boxes), tuple(lines), blocks[-1].open)


def _forked(head: Block, ways: Sequence[tuple[str, Block]]) -> Block:
    """A box with ways below it side by side, which meet again where somebody goes on."""
    width = sum(block.width for _, block in ways) + APART * (len(ways) - 1)
    tallest, top = max(block.height for _, block in ways), head.height + LABEL
    bottom = top + tallest + DOWN
    put = head.moved((width - head.width) / 2, 0)
    boxes, lines, x = list(put.boxes), list(put.lines), 0.0
    for label, block in ways:
        middle = x + block.width / 2
        lines.append(Line(width / 2, head.height, middle, top, _short(label), label))
        moved = block.moved(x, top)
        boxes, lines = [*boxes, *moved.boxes], [*lines, *moved.lines]
        if block.open:
            lines.append(Line(middle, top + block.height, width / 2, bottom, arrow=False))
        x += block.width + APART
    going_on = any(block.open for _, block in ways)
    return Block(width, bottom, tuple(boxes), tuple(lines), going_on)


def _short(label: str) -> str:
    return label if len(label) <= LETTERS else label[: LETTERS - 1] + "…"

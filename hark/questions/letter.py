"""The digest in words: for the command, and for the letter to the team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from hark.model import JSON

Section: TypeAlias = tuple[str, Sequence[str]]
MOST = 12
"""Lines of one section; further ones are counted."""
STAGES = {
    "new": "new",
    "returning": "here again",
    "resurrected": "back after a pause",
    "dormant": "gone quiet",
}


def lines(digest: Any) -> list[Section]:
    """Headings with their lines; a section without a line says so in one."""
    steps = [one for one in digest["steps"] if one["slower"] or one["fewer"]]
    sections = [
        (f"Week {digest['week']}", list(_people(digest["people"]))),
        ("Verdicts", [_verdict(one) for one in digest["verdicts"]]),
        ("Steps that lost people or time", [step(one) for one in steps]),
        ("What was changed", [_change(one) for one in digest["changes"]]),
    ]
    return [(heading, _some(found)) for heading, found in sections]


def _some(found: Sequence[str]) -> list[str]:
    rest = len(found) - MOST
    more = [f"and {rest} more"] if rest > 0 else []
    return [*found[:MOST], *more] or ["nothing"]


def _people(told: Any) -> Iterator[str]:
    now, before = told["now"], told["before"]
    for key, says in STAGES.items() if now else ():
        was = f", {before[key]:,} the week before" if before else ""
        yield f"{now[key]:,} {says}{was}"


def _verdict(one: JSON) -> str:
    new = " (new)" if one["new"] else ""
    return f"{one['campaign']}{new}: {one['says'] or one['word']}"


def _change(one: JSON) -> str:
    note = f": {one['note']}" if one["note"] else ""
    return (
        f"{one['kind']} {one['name']}, version {one['version']}, by {one['author'] or 'nobody named'}{note}"
    )


def step(one: Any) -> str:
    """ "checkout, to Order Completed: 40 % go on, 52 % before; half within 3 h, 1 h before"."""
    said = f"{one['funnel']}, to {one['step']}: {one['rate']:.0%} go on, {one['before']:.0%} before"
    if one["slower"]:
        said += f"; half within {took(one['median_s'])}, {took(one['median_before_s'])} before"
    return said


def took(seconds: float) -> str:
    """A length of time in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

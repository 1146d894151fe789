"""Pages that people read and that are in no document: what the catalogue could be filled with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from statistics import median
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from hark.definitions.contents import Content
from hark.definitions.levels import Stage
from hark.learn.attention import READ
from hark.learn.columns import integers, raw
from hark.model import JSON, Instant
from hark.understand.addresses import cleaned, known_as, path_of
from hark.understand.levels_then import levels_then
from hark.understand.people import People

OPENED = ("Page", "Page Viewed")
"""What tells that a page was opened, and nothing of whether it was read."""
COLUMNS = ("subject", "at", "seq", "name", "properties", "context")


class Page(Struct, frozen=True):
    """One page, by all its addresses."""

    address: str
    """In the form in which addresses are compared."""
    url: str
    """As people reached it most often, without parameters of tracking; "" where only a path is known."""
    title: str
    """The latest."""
    readers: int
    """Different people who read it; `opened`: who opened it, where that was asked."""
    opened: int
    words: int | None
    """The latest that the reading script counted."""
    minutes: float | None
    """The median time of activity of its readings."""
    last: Instant
    at_stage: dict[str, int]
    """Readers (or who opened it, where nobody read it) by their stage at the first time."""


class _Seen(NamedTuple):
    """One event of a page."""

    who: int
    at: Instant
    seq: int
    read: bool
    url: str
    said: Mapping[str, JSON]


class _Place(Struct):
    """Of a context: where the browser was."""

    url: JSON = None


class _Context(Struct):
    page: _Place | None = None


def pages(
    people: People,
    catalogue: Iterable[Content],
    stage: Stage,
    now: Instant,
    opened: bool = False,
    most: int = 100,
) -> list[Page]:
    """The pages read up to a moment and in no document, with the most readers first; also those only
    opened, if asked. `stage`: with all that its conditions name."""
    known = {address for one in catalogue for address in one.known_as}
    found = _gathered(_seen(people, now, (READ, *OPENED) if opened else (READ,), known))
    order = sorted(found, key=lambda page: (*_weight(found[page]), page))[:most]
    then = _stages(people, stage, [_first(found[page]) for page in order])
    return [_page(page, found[page], at_stage) for page, at_stage in zip(order, then, strict=True)]


def _seen(
    people: People, now: Instant, events: Sequence[str], known: Set[str]
) -> Iterator[tuple[str, _Seen]]:
    """Every such event of other pages than those known, in order of time, with what its page is known by."""
    rows = people.table(events, COLUMNS)
    at = integers(rows, "at")
    order = np.lexsort((integers(rows, "seq"), at))
    rows = rows.take(pa.array(order[at[order] <= now]))
    who, when, seq = (integers(rows, name).tolist() for name in COLUMNS[:3])
    texts = (rows[name].to_pylist() for name in COLUMNS[3:])
    for one, instant, number, name, properties, context in zip(who, when, seq, *texts, strict=True):
        said = msgspec.json.decode(properties)
        told = said.get("url")
        url = told if isinstance(told, str) and told else _address(context)
        names = known_as(raw(properties), url)
        if names and known.isdisjoint(names):
            yield names[0], _Seen(one, instant, number, name == READ, url, said)


def _address(context: str | bytes) -> str:
    try:
        found = msgspec.json.decode(context, type=_Context)
    except msgspec.DecodeError:
        return ""
    return found.page.url if found.page and isinstance(found.page.url, str) else ""


def _gathered(seen: Iterable[tuple[str, _Seen]]) -> dict[str, list[_Seen]]:
    """By page; one known by its path alone is that of the only site with such a path."""
    found: dict[str, list[_Seen]] = defaultdict(list)
    for page, one in seen:
        found[page].append(one)
    sites: dict[str, list[str]] = defaultdict(list)
    for page in found:
        if not page.startswith("/") and "/" in page:
            sites[path_of(page)].append(page)
    for path in [page for page in found if page.startswith("/")]:
        if len(sites[path]) == 1:
            (whole,) = sites[path]
            found[whole] = sorted(found[whole] + found.pop(path), key=lambda one: (one.at, one.seq))
    return dict(found)


def _weight(rows: Sequence[_Seen]) -> tuple[int, int]:
    return -len({one.who for one in rows if one.read}), -len({one.who for one in rows})


def _first(rows: Sequence[_Seen]) -> list[_Seen]:
    """Each reader's first reading; where nobody read it, each one's first visit."""
    read = [one for one in rows if one.read] or rows
    return list({one.who: one for one in reversed(read)}.values())


def _stages(people: People, stage: Stage, firsts: Sequence[Sequence[_Seen]]) -> list[dict[str, int]]:
    """By page, how many were at which stage, where anybody was."""
    moments = [(one.who, one.at, one.seq) for rows in firsts for one in rows]
    columns = (np.array([one[n] for one in moments], np.int64) for n in range(3))
    levels = iter(levels_then(people, stage, *columns).tolist())
    names = (stage.floor, *stage.names)
    counted = [Counter(next(levels) for _ in rows) for rows in firsts]
    return [{names[level]: n for level, n in sorted(one.items())} for one in counted]


def _page(page: str, rows: Sequence[_Seen], at_stage: dict[str, int]) -> Page:
    urls = Counter(cleaned(one.url) for one in rows if one.url)
    spent = [one.said["active_s"] / 60 for one in rows if one.read and _number(one.said.get("active_s"))]
    words = [round(one.said["words"]) for one in rows if _number(one.said.get("words"))]
    titles = [" ".join(one.said["title"].split()) for one in rows if isinstance(one.said.get("title"), str)]
    return Page(
        page,
        max(sorted(urls), key=urls.__getitem__, default=""),
        next((one for one in reversed(titles) if one), page),
        len({one.who for one in rows if one.read}),
        len({one.who for one in rows}),
        words[-1] if words else None,
        round(median(spent), 1) if spent else None,
        rows[-1].at,
        at_stage,
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0

"""Answers to questions as plotly figures. Colours are named by the page's tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import wrap

from hark.console.charts import layout
from hark.console.filters import span
from hark.model import JSON
from hark.understand.funnel import FunnelAnswer, StepAnswer
from hark.understand.lifecycle import LifecycleAnswer
from hark.understand.paths import Node, PathsAnswer
from hark.understand.retention import RetentionAnswer
from hark.understand.sessions import SessionsAnswer
from hark.understand.split import OTHER
from hark.understand.trend import Point, TrendAnswer

SERIES = tuple(f"--c{number}" for number in range(1, 9))
"""Colours of lines that stand side by side; the last is for what is left over."""
LINES = len(SERIES)
TICKS = 5
"""Dates under a chart, so that they fit a narrow screen."""
MINUS = "\N{MINUS SIGN}"
LETTERS = 11
"""Of a step's name in one line under its bar."""


def funnel(answer: FunnelAnswer, stopped: Sequence[str]) -> JSON:
    """A bar a step: who came, and above them who stopped before it; `stopped` has each drop's address."""
    counts = [step.customers for step in answer.steps]
    drops = [0, *(before - here for before, here in pairwise(counts))]
    places, links = list(range(len(counts))), ["", *stopped]
    data = [
        {**_came(answer.steps), "x": places},
        {**_gone(drops), "x": places, "customdata": links},
        {**_said(counts, drops), "x": places, "customdata": links},
    ]
    under = {"tickvals": places, "ticktext": [_under(step) for step in answer.steps]}
    axes = {
        "xaxis": {**FLAT, **under, "tickangle": 0, "automargin": True},
        "yaxis": _counted(),
        "barmode": "stack",
        "bargap": 0.28,
    }
    return {"data": data, "layout": {**layout(340), **axes}}


def _came(steps: Sequence[StepAnswer]) -> dict[str, JSON]:
    return {
        "type": "bar",
        "y": [step.customers for step in steps],
        "text": [f"{step.rate_from_first:.0%}" for step in steps],
        "textposition": "auto",
        "insidetextanchor": "end",
        "insidetextfont": {"size": 15, "color": "--accent-ink"},
        "outsidetextfont": {"size": 15, "color": "--ink"},
        "marker": {"color": "--accent"},
        "hovertemplate": "%{y:,} came here<extra></extra>",
    }


def _gone(drops: Sequence[int]) -> dict[str, JSON]:
    return {
        "type": "bar",
        "y": list(drops),
        "marker": {"color": "--drop", "line": {"width": 0}},
        "hovertemplate": "%{y:,} stopped before: see who<extra></extra>",
    }


def _said(counts: Sequence[int], drops: Sequence[int]) -> dict[str, JSON]:
    """The number who stopped, above each bar."""
    return {
        "type": "scatter",
        "mode": "text",
        "y": [here + drop for here, drop in zip(counts, drops, strict=True)],
        "text": [f"{MINUS}{drop:,}" if drop else "" for drop in drops],
        "textposition": "top center",
        "textfont": {"size": 14, "color": "--accent"},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _under(step: StepAnswer) -> str:
    """A step's name in short lines, and how long half of them took from the step before."""
    waited = [] if step.median_s is None else [f"+{span(step.median_s)}"]
    return "<br>".join([*wrap(step.step, LETTERS, break_long_words=False), *waited])


FLAT = {"fixedrange": True, "showgrid": False, "zeroline": False}


def _counted() -> JSON:
    return {
        **FLAT,
        "showgrid": True,
        "gridcolor": "--line",
        "nticks": 5,
        "rangemode": "tozero",
        "tickformat": ",",
    }


def _dates(periods: Sequence[str]) -> JSON:
    """An axis with the beginnings of a few of the periods."""
    monthly = bool(periods) and len(periods[0]) == len("2026-03")
    every = -(-len(periods) // TICKS) or 1
    form = "%b %Y" if monthly else "%-d %b"
    return {**FLAT, "type": "date", "tickvals": list(periods[::every]), "tickformat": form, "tickangle": 0}


def _shares() -> JSON:
    return {**_counted(), "tickformat": ".0%"}


def groups(answer: FunnelAnswer) -> JSON:
    """Each group's share of its first step, at every step."""
    data = [
        {
            "type": "bar",
            "name": group.value,
            "x": list(range(len(group.steps))),
            "y": [step.rate_from_first for step in group.steps],
            "customdata": [step.customers for step in group.steps],
            "marker": {"color": colour},
            "hovertemplate": "%{customdata:,} (%{y:.1%})<extra>%{fullData.name}</extra>",
        }
        for group, colour in zip(answer.groups, SERIES, strict=False)
    ]
    names = ["<br>".join(wrap(step.step, LETTERS, break_long_words=False)) for step in answer.steps]
    under = {"tickvals": list(range(len(names))), "ticktext": names, "tickangle": 0, "automargin": True}
    axes = {"xaxis": {**FLAT, **under}, "yaxis": _shares(), "barmode": "group", "bargap": 0.2}
    return {"data": data, "layout": {**_legend(300), **axes}}


def funnel_trend(answer: FunnelAnswer) -> JSON:
    """The share that came to the end, by the period in which they began."""
    slices = [one for one in answer.trend if one.customers[0]]
    points = [(one.period, one.customers[-1] / one.customers[0], one.complete) for one in slices]
    line = _line("to the end", points, SERIES[0], "%{y:.1%} of those who began in %{x}<extra></extra>")
    across = _dates([one.period for one in slices])
    return {"data": line, "layout": {**layout(220), "xaxis": across, "yaxis": _shares()}}


def waits(answer: FunnelAnswer, place: int) -> JSON:
    """How long the way to one step took, in classes; empty ones at both ends are left out."""
    found = answer.steps[place].histogram
    names = [_short(edge) for edge in answer.histogram_s] + ["more"]
    some = [number for number, count in enumerate(found) if count] or [0]
    shown = slice(max(some[0] - 1, 0), some[-1] + 1)
    data = {
        "type": "bar",
        "x": names[shown],
        "y": list(found[shown]),
        "marker": {"color": "--accent"},
        "hovertemplate": "up to %{x}: %{y:,}<extra></extra>",
    }
    across = {**FLAT, "tickangle": 0, "tickfont": {"size": 11}, "automargin": True}
    return {"data": [data], "layout": {**layout(180), "xaxis": across, "yaxis": _counted(), "bargap": 0.2}}


def _short(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def retention(answer: RetentionAnswer) -> JSON:
    """The share of all who could be active in the k-th period after, by k: only whole periods count."""
    longest = max((one.complete for one in answer.cohorts), default=0)
    points = []
    for after in range(longest):
        old = [one for one in answer.cohorts if one.complete > after]
        size = sum(one.size for one in old)
        active = sum(one.active[after] if after < len(one.active) else 0 for one in old)
        points.append((after, active / size if size else 0.0, True))
    hover = "%{y:.1%} active in period %{x}<extra></extra>"
    figure = _line("active", points, SERIES[0], hover)
    return {"data": figure, "layout": {**layout(220), "xaxis": {**FLAT, "dtick": 1}, "yaxis": _shares()}}


def lifecycle(answer: LifecycleAnswer) -> JSON:
    """Stacks: active ones above the line by where they come from, those lost below it."""
    parts = (
        ("returning", 1, "--c1"),
        ("resurrected", 1, "--c3"),
        ("new", 1, "--c5"),
        ("dormant", -1, "--c8"),
    )
    names = [one.period for one in answer.periods]
    data = [
        {
            "type": "bar",
            "name": stage,
            "x": names,
            "y": [sign * getattr(one, stage) for one in answer.periods],
            "customdata": [getattr(one, stage) for one in answer.periods],
            "marker": {"color": colour, "opacity": [1.0 if one.complete else 0.5 for one in answer.periods]},
            "hovertemplate": "%{customdata:,} %{fullData.name}<extra>%{x}</extra>",
        }
        for stage, sign, colour in parts
    ]
    up = {**_counted(), "zeroline": True, "zerolinecolor": "--zero", "rangemode": "normal"}
    axes = {"xaxis": _dates(names), "yaxis": up, "barmode": "relative", "bargap": 0.25}
    return {"data": data, "layout": {**_legend(340), **axes}}


def trend(answer: TrendAnswer, measure: str, height: int = 320) -> JSON:
    """A line a group (or the whole) of one measure of the points: count, customers, sum ..."""
    lines = [(one.value, one.points) for one in answer.groups] or [(answer.event, answer.points)]
    shown = [(name, _measured(points, measure)) for name, points in lines[:LINES]]
    if answer.before and not answer.groups:
        shown.append(("as many periods before", _moved(answer, measure)))
    return _lines(shown, height)


def _moved(answer: TrendAnswer, measure: str) -> list[tuple[str, float, bool]]:
    """The time before, each value under the period it is compared with."""
    pairs = zip(answer.points, answer.before, strict=True)
    found = [(now.period, getattr(then, measure)) for now, then in pairs]
    return [(period, value, True) for period, value in found if value is not None]


def typical(answer: TrendAnswer, height: int = 260) -> JSON:
    """Of all events in a period, the property's mean, median and 90th percentile."""
    parts = (("90th percentile", "p90"), ("mean", "mean"), ("median", "p50"))
    return _lines([(name, _measured(answer.points, measure)) for name, measure in parts], height)


def _measured(points: Sequence[Point], measure: str) -> list[tuple[str, float, bool]]:
    """(period, value, whether it is over) where there is a value."""
    found = [(one.period, getattr(one, measure), one.complete) for one in points]
    return [one for one in found if one[1] is not None]


def _lines(lines: Sequence[tuple[str, Sequence[tuple[str, float, bool]]]], height: int) -> JSON:
    """Several lines over the same periods; a single one needs no legend."""
    data = [
        part
        for (name, points), colour in zip(lines, SERIES, strict=False)
        for part in _line(name, points, colour, "%{y:,.6~g}<extra>%{x}</extra>")
    ]
    shape = _legend(height) if len(lines) > 1 else layout(height)
    across = _dates(sorted({period for _, points in lines for period, _, _ in points}))
    return {"data": data, "layout": {**shape, "xaxis": across, "yaxis": _counted()}}


def sessions(answer: SessionsAnswer) -> JSON:
    """Sessions in each period, and behind them how many people had them."""
    names = [one.period for one in answer.periods]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": names,
            "y": [getattr(one, name) for one in answer.periods],
            "marker": {"color": colour, "opacity": [1.0 if one.complete else 0.5 for one in answer.periods]},
            "hovertemplate": "%{y:,} %{fullData.name}<extra>%{x}</extra>",
        }
        for name, colour in (("sessions", "--c1"), ("customers", "--c3"))
    ]
    axes = {"xaxis": _dates(names), "yaxis": _counted(), "barmode": "group", "bargap": 0.25}
    return {"data": data, "layout": {**_legend(300), **axes}}


def sizes(found: Sequence[tuple[str, int]]) -> JSON:
    """How large a segment was at the end of each period from the last empty one on; the last is as of now."""
    first = next((place for place, (_, count) in enumerate(found) if count), len(found) - 1)
    found = found[max(first - 1, 0) :]
    last = len(found) - 1
    points = [(period, float(count), place < last) for place, (period, count) in enumerate(found)]
    return _lines([("members", points)], 240)


def overlap(parts: Sequence[tuple[str, int]]) -> JSON:
    """One bar cut into who is in one segment only, in both, in the other only."""
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": [count],
            "y": [""],
            "marker": {"color": colour},
            "hovertemplate": "%{x:,} %{fullData.name}<extra></extra>",
        }
        for (name, count), colour in zip(parts, ("--c1", "--c5", "--c3"), strict=True)
    ]
    flat = {**FLAT, "visible": False}
    shape = {**_legend(100), "margin": {"l": 0, "r": 0, "t": 40, "b": 8}}
    return {"data": data, "layout": {**shape, "xaxis": flat, "yaxis": flat, "barmode": "stack"}}


def _line(name: str, points: Sequence[tuple[JSON, float, bool]], colour: str, hover: str) -> list[JSON]:
    """A line; the part into a period that is not over is dotted."""
    whole = [one for one in points if one[2]]
    rest = points[max(len(whole) - 1, 0) :] if len(whole) < len(points) else []
    shape = {"type": "scatter", "mode": "lines+markers", "hovertemplate": hover, "name": name}
    parts = [(whole, "solid", True), (rest, "dot", not whole)]
    return [
        {
            **shape,
            "x": [one[0] for one in part],
            "y": [one[1] for one in part],
            "line": {"color": colour, "width": 2.5, "dash": dash},
            "marker": {"color": colour, "size": 6},
            "legendgroup": name,
            "showlegend": shown,
        }
        for part, dash, shown in parts
        if part
    ]


def _legend(height: int) -> JSON:
    base = layout(height)
    below = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    return {**base, "showlegend": True, "legend": below, "margin": {**base["margin"], "t": 40}}


# -- paths ----------------------------------------------------------------------------------------------

LEFT, BEGAN = "(left)", "(began here)"
"""Where a path ends before its last step: forward, and backward."""


def paths(answer: PathsAnswer, forward: bool) -> JSON:
    """The tree as streams: at each depth one node an event, as wide as the customers who did it then."""
    nodes: dict[tuple[int, str], int] = {}
    streams: dict[tuple[int, int], int] = {}
    for depth, here, after, customers in _streams(answer.tree, 0, LEFT if forward else BEGAN):
        ends = [nodes.setdefault((depth, here), len(nodes)), nodes.setdefault((depth + 1, after), len(nodes))]
        way = (ends[0], ends[1]) if forward else (ends[1], ends[0])
        streams[way] = streams.get(way, 0) + customers
    data = {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": ["<br>".join(wrap(name, LETTERS, break_long_words=False)) for _, name in nodes],
            "color": _node_colours([name for _, name in nodes]),
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}: %{value:,}<extra></extra>",
        },
        "link": {
            "source": [source for source, _ in streams],
            "target": [target for _, target in streams],
            "value": [*streams.values()],
            "color": "--stream",
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
        },
        "textfont": {"size": 13, "color": "--ink", "shadow": "none"},
        "valueformat": ",",
    }
    tallest = max((sum(1 for at, _ in nodes if at == depth) for depth, _ in nodes), default=1)
    return {
        "data": [data],
        "layout": {**layout(max(260, 44 * tallest + 40)), "margin": {"l": 4, "r": 4, "t": 12, "b": 12}},
    }


def _node_colours(names: Sequence[str]) -> list[str]:
    """The same event has the same colour at every depth; leaving and what is left over are grey."""
    events = [name for name in dict.fromkeys(names) if name not in (LEFT, BEGAN, OTHER)]
    colours = {name: SERIES[place % (LINES - 1)] for place, name in enumerate(events)}
    return [colours.get(name, "--alone") for name in names]


def _streams(node: Node, depth: int, ended: str) -> Iterator[tuple[int, str, str, int]]:
    """(depth, from, to, customers) of every branch; whoever is in no branch has `ended`."""
    for one in node.next:
        yield depth, node.event, one.event, one.customers
        yield from _streams(one, depth + 1, ended)
    left = node.customers - sum(one.customers for one in node.next)
    if node.next and left > 0:
        yield depth, node.event, ended, left

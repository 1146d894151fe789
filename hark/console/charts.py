"""Figures for plotly. Colours are named by the page's tokens, so that they follow the colour scheme."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from hark.learn.calendar import CalendarDay
from hark.learn.compare import Interval
from hark.learn.report import Report
from hark.model import JSON

COLOURS = tuple(f"--c{number}" for number in range(1, 9))
ROW_PX = 46
FEW = 4
"""Below so many the axis of a count would get fractions."""


def lift(report: Report, shown: Interval) -> JSON:
    """Each variant's lift with its interval, in points of a percent; all treated together (`shown`) first."""
    rows: list[tuple[str, Interval | None]] = [("all treated", shown)]
    arms = [(arm.arm, arm.always) for arm in report.arms if arm.always]
    if len(arms) > 1:
        rows += arms
    known = [(name, one) for name, one in rows if one is not None]
    return {"data": [_intervals(known)], "layout": _lift_layout(known)}


def _intervals(rows: Sequence[tuple[str, Interval]]) -> JSON:
    estimates = [100 * one.estimate for _, one in rows]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": estimates,
        "y": [name for name, _ in rows],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (one.high - one.estimate) for _, one in rows],
            "arrayminus": [100 * (one.estimate - one.low) for _, one in rows],
            "color": "--accent",
            "thickness": 3,
            "width": 8,
        },
        "marker": {"size": 13, "color": "--accent", "line": {"color": "--card", "width": 2}},
        "hovertemplate": "%{y}: %{x:+.1f} points<extra></extra>",
    }


def _lift_layout(rows: Sequence[tuple[str, Interval]]) -> JSON:
    ends = [100 * bound for _, one in rows for bound in (one.low, one.high)] + [0.0]
    spare = 0.12 * (max(ends) - min(ends) or 1)
    axis = {
        "range": [min(ends) - spare, max(ends) + spare],
        "ticksuffix": " %",
        "gridcolor": "--line",
        "zeroline": True,
        "zerolinecolor": "--zero",
        "zerolinewidth": 2,
        "fixedrange": True,
        "nticks": 5,
        "tickangle": 0,
    }
    names = {"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True}
    return {**layout(60 + ROW_PX * len(rows)), "xaxis": axis, "yaxis": names}


def forest(whole: Interval, rows: Sequence[tuple[str, Interval, Interval]]) -> JSON:
    """Lifts by situation: (name, of these people alone, drawn towards the whole's)."""
    drawn = _intervals([(name, shrunk) for name, _, shrunk in rows])
    alone = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * lift.estimate for _, lift, _ in rows],
        "y": [name for name, _, _ in rows],
        "marker": {"size": 11, "symbol": "circle-open", "color": "--soft", "line": {"width": 2}},
        "hovertemplate": "%{y}, these alone: %{x:+.1f} points<extra></extra>",
    }
    spread = [("", one) for _, lift, shrunk in rows for one in (shrunk, Interval(*[lift.estimate] * 3))]
    laid = _lift_layout(spread)
    across = 100 * whole.estimate
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": across, "x1": across}
    laid |= {"shapes": [{**line, "line": {"color": "--accent", "width": 1.5, "dash": "dot"}}]}
    return {"data": [drawn, alone], "layout": laid | {"height": 60 + ROW_PX * len(rows)}}


def weeks(report: Report) -> JSON:
    """The lift by week of entry, each week with its own interval, over the line at 0."""
    known = [(one.week, one.lift) for one in report.weeks if one.lift is not None]
    data = _intervals(known)
    data["x"], data["y"], data["error_y"] = data["y"], data["x"], {**data.pop("error_x"), "width": 4}
    data["marker"]["size"], data["hovertemplate"] = 9, "week of %{x}: %{y:+.1f} points<extra></extra>"
    across = {**_FLAT, "type": "date", "nticks": 4, "tickformat": "%-d %b", "tickangle": 0}
    return {"data": [data], "layout": {**layout(230), "xaxis": across, "yaxis": _points()}}


def days(report: Report) -> JSON:
    """Who reached the goal so many days after the entry: treated, and left alone."""
    at = [one.days for one in report.days]
    data = [
        _line(at, [100 * one.control for one in report.days], "left alone", "--alone"),
        _line(at, [100 * one.treated for one in report.days], "treated", "--accent"),
    ]
    across = {**_FLAT, "nticks": 6, "title": {"text": "days since the entry"}}
    up = {**_points(), "rangemode": "tozero"}
    return {"data": data, "layout": {**layout(230), "xaxis": across, "yaxis": up}}


def _line(x: Sequence[int], y: Sequence[float], name: str, colour: str) -> JSON:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "name": name,
        "line": {"color": colour, "width": 2.5},
        "marker": {"size": 5, "color": colour},
        "hovertemplate": f"{name}, day %{{x}}: %{{y:.1f}} %<extra></extra>",
    }


_FLAT = {"fixedrange": True, "showgrid": False, "zeroline": False}


def _points() -> JSON:
    """An axis of percent, with 0 marked."""
    zero = {"zeroline": True, "zerolinecolor": "--zero", "zerolinewidth": 2}
    return {
        "ticksuffix": " %",
        "gridcolor": "--line",
        "fixedrange": True,
        "nticks": 5,
        "automargin": True,
        **zero,
    }


def bars(names: Sequence[str], values: Sequence[float], colour: str = "--accent", height: int = 150) -> JSON:
    """Bars over names, without gridlines: the shape of a month."""
    data = {
        "type": "bar",
        "x": list(names),
        "y": list(values),
        "marker": {"color": colour},
        "hovertemplate": "%{x}: %{y:,}<extra></extra>",
    }
    across = {**_FLAT, "nticks": 5, "type": "date", "tickformat": "%-d %b", "tickangle": 0}
    up = {
        **_FLAT,
        "showgrid": True,
        "gridcolor": "--line",
        "nticks": 4,
        "rangemode": "tozero",
        "tickformat": ",",
    }
    if max(values, default=0) < FEW:
        up["dtick"] = 1
    return {"data": [data], "layout": {**layout(height), "xaxis": across, "yaxis": up, "bargap": 0.25}}


def layout(height: int) -> JSON:
    """What all figures share."""
    return {
        "height": height,
        "margin": {"l": 36, "r": 8, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 13, "color": "--soft"},
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {"bgcolor": "--card", "bordercolor": "--line", "font": {"color": "--ink"}},
    }


def hours(counts: Sequence[int]) -> JSON:
    """How many in each hour of the day."""
    figure = bars([f"{hour}:00" for hour in range(len(counts))], counts, height=190)
    figure["layout"]["xaxis"] = {**_FLAT, "nticks": 6, "tickangle": 0, "type": "category"}
    return figure


def reasons(rows: Sequence[tuple[str, int]]) -> JSON:
    """A bar a reason, the longest on top."""
    data = {
        "type": "bar",
        "orientation": "h",
        "x": [count for _, count in rows],
        "y": [name.replace("_", " ") for name, _ in rows],
        "marker": {"color": "--alone"},
        "text": [f"{count:,}" for _, count in rows],
        "textposition": "auto",
        "hovertemplate": "%{y}: %{x:,}<extra></extra>",
    }
    names = {**_FLAT, "autorange": "reversed", "automargin": True}
    across = {**_FLAT, "visible": False}
    size = layout(28 + 34 * len(rows))
    return {"data": [data], "layout": {**size, "xaxis": across, "yaxis": names, "bargap": 0.3}}


def rates(rows: Sequence[tuple[str, float, float, float]]) -> JSON:
    """Shares with their intervals, a row each: (name, estimate, low, high)."""
    data = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * estimate for _, estimate, _, _ in rows],
        "y": [name for name, _, _, _ in rows],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (high - estimate) for _, estimate, _, high in rows],
            "arrayminus": [100 * (estimate - low) for _, estimate, low, _ in rows],
            "color": "--alone",
            "thickness": 3,
            "width": 8,
        },
        "marker": {"size": 13, "color": "--alone", "line": {"color": "--card", "width": 2}},
        "hovertemplate": "%{x:.1f} % %{y}<extra></extra>",
    }
    across = {**_points(), "range": [0, min(105.0, 115 * max(high for _, _, _, high in rows) + 1)]}
    names = {"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True}
    return {"data": [data], "layout": {**layout(60 + ROW_PX * len(rows)), "xaxis": across, "yaxis": names}}


def detectable(rows: Sequence[tuple[int, float]]) -> JSON:
    """The smallest lift that is found in 4 cases of 5, by weeks."""
    data = {
        "type": "bar",
        "x": [f"{weeks} week{'s' * (weeks > 1)}" for weeks, _ in rows],
        "y": [100 * lift for _, lift in rows],
        "marker": {"color": "--accent"},
        "text": [f"{100 * lift:.1f}" for _, lift in rows],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{y:.1f} points<extra></extra>",
    }
    up = {**_points(), "rangemode": "tozero"}
    return {"data": [data], "layout": {**layout(210), "xaxis": _FLAT, "yaxis": up, "bargap": 0.5}}


def calendar(days: Sequence[CalendarDay], campaigns: Sequence[str]) -> JSON:
    """Messages a day, a colour a campaign: what is known, and paler what is expected."""
    data = []
    for name, colour in zip(campaigns, cycle(COLOURS), strict=False):
        for part, pale in (("known", 1.0), ("expected", 0.45)):
            counts = [getattr(one, part).get(name, 0) for one in days]
            data.append(
                {
                    "type": "bar",
                    "name": name or "by calls",
                    "x": [one.day for one in days],
                    "y": counts,
                    "marker": {"color": colour, "opacity": pale},
                    "legendgroup": name,
                    "showlegend": part == "known",
                    "hovertemplate": f"%{{y:,.1f}} {part}<extra>%{{fullData.name}}</extra>",
                }
            )
    across = {**_FLAT, "type": "date", "tickformat": "%-d %b", "nticks": 6, "tickangle": 0}
    up = {**_FLAT, "showgrid": True, "gridcolor": "--line", "nticks": 5, "rangemode": "tozero"}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    base = layout(320)
    shape = {**base, "showlegend": True, "legend": legend, "margin": {**base["margin"], "t": 48}}
    return {"data": data, "layout": {**shape, "xaxis": across, "yaxis": up, "barmode": "stack"}}


def interval(name: str, shown: Interval) -> JSON:
    """One lift with its interval, in points of a percent."""
    rows = [(name, shown)]
    return {"data": [_intervals(rows)], "layout": _lift_layout(rows)}

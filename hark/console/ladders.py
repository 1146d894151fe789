"""Figures of engagement: how many stood where, week by week, and who went from where to where."""

from __future__ import annotations

from collections.abc import Sequence

from hark.console.charts import layout
from hark.model import JSON

SHADES = ("--c8", "--c6", "--c3", "--c1", "--c5", "--c4", "--c2", "--c7")
"""Of the levels from below all of them upwards."""


def over_time(names: Sequence[str], days: Sequence[str], counts: Sequence[Sequence[int]]) -> JSON:
    """Stacks of customers by level at the end of each week, the strongest on top."""
    data = [
        {
            "type": "bar",
            "name": name,
            "x": list(days),
            "y": [row[place] for row in counts],
            "marker": {"color": SHADES[place % len(SHADES)]},
            "hovertemplate": "%{y:,} %{fullData.name}<extra>%{x}</extra>",
        }
        for place, name in enumerate(names)
    ]
    flat = {"fixedrange": True, "showgrid": False, "zeroline": False}
    across = {**flat, "type": "date", "tickformat": "%-d %b", "nticks": 5, "tickangle": 0}
    up = {**flat, "showgrid": True, "gridcolor": "--line", "tickformat": ",", "nticks": 4, "automargin": True}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
    shape = {**layout(300), "showlegend": True, "legend": legend}
    shape["margin"] = {**shape["margin"], "t": 56}
    return {
        "data": data,
        "layout": {**shape, "xaxis": across, "yaxis": up, "barmode": "stack", "bargap": 0.3},
    }


def moves(names: Sequence[str], ways: Sequence[tuple[str, str, int]]) -> JSON:
    """Streams from where customers stood to where they stand; `ways` are (from, to, customers)."""
    before = list(dict.fromkeys(origin for origin, _, _ in ways))
    after = list(dict.fromkeys(to for _, to, _ in ways))
    colours = {name: SHADES[place % len(SHADES)] for place, name in enumerate(names)}
    nodes = [*before, *after]
    data = {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": nodes,
            "color": [colours.get(name, "--alone") for name in nodes],
            "pad": 18,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}: %{value:,}<extra></extra>",
        },
        "link": {
            "source": [before.index(origin) for origin, _, _ in ways],
            "target": [len(before) + after.index(to) for _, to, _ in ways],
            "value": [n for _, _, n in ways],
            "color": "--stream",
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
        },
        "textfont": {"size": 13, "color": "--ink", "shadow": "none"},
        "valueformat": ",",
    }
    height = max(240, 48 * max(len(before), len(after)) + 40)
    return {"data": [data], "layout": {**layout(height), "margin": {"l": 4, "r": 4, "t": 12, "b": 12}}}

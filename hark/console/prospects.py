"""Figures of worth: what a model foretold of weeks that it had not seen, beside what happened."""

from __future__ import annotations

from collections.abc import Sequence

from hark.console.charts import layout
from hark.model import JSON

FLAT = {"fixedrange": True, "showgrid": False, "zeroline": False}
UP = {"fixedrange": True, "gridcolor": "--line", "zeroline": False, "rangemode": "tozero", "automargin": True}


def calibration(checks: Sequence[JSON]) -> JSON:
    """Purchases a customer in the held-back weeks, by how often they had bought again: on the line of equal
    values the model is right; the size of a point is the number of customers."""
    most = max([1.0, *(one["customers"] for one in checks)])
    end = 1.08 * max([0.01, *(max(one["expected"], one["actual"]) for one in checks)])
    points = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [one["expected"] for one in checks],
        "y": [one["actual"] for one in checks],
        "text": [one["repeats"] for one in checks],
        "textposition": "top center",
        "textfont": {"size": 12, "color": "--soft"},
        "customdata": [one["customers"] for one in checks],
        "marker": {
            "color": "--accent",
            "size": [8 + 14 * (one["customers"] / most) ** 0.5 for one in checks],
        },
        "cliponaxis": False,
        "hovertemplate": "bought again %{text}, %{customdata:,} customers:"
        " foretold %{x:.2f}, happened %{y:.2f}<extra></extra>",
    }
    line = {"type": "line", "x0": 0, "y0": 0, "x1": end, "y1": end}
    across = {**FLAT, "range": [0, end], "title": {"text": "foretold"}, "nticks": 5}
    up = {**UP, "range": [0, end], "title": {"text": "happened"}, "nticks": 5}
    shapes = [{**line, "line": {"color": "--zero", "width": 1.5, "dash": "dot"}}]
    return {"data": [points], "layout": {**layout(320), "xaxis": across, "yaxis": up, "shapes": shapes}}


def renewed(periods: Sequence[JSON]) -> JSON:
    """Of those there at the start of each period, who renewed: as seen, and by the model, which goes on."""
    seen = {"mode": "markers", "marker": {"color": "--alone", "size": 9}, "name": "seen"}
    model = {"mode": "lines", "line": {"color": "--accent", "width": 2.5}, "name": "by the model"}
    data = [
        {
            "type": "scatter",
            "x": [one["period"] for one in periods],
            "y": [one[key] for one in periods],
            "customdata": [one["there"] for one in periods],
            "hovertemplate": "period %{x}: %{y:.1%} of %{customdata:,}<extra></extra>",
            **drawn,
        }
        for key, drawn in (("renewed", seen), ("expected", model))
    ]
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    across = {**FLAT, "title": {"text": "period"}, "nticks": 12}
    up = {**UP, "tickformat": ".0%", "nticks": 5, "range": [0, 1.04]}
    return {"data": data, "layout": {**layout(280), "showlegend": True, "legend": legend,
                                     "xaxis": across, "yaxis": up}}  # fmt: skip


def cumulated(weeks: Sequence[JSON]) -> JSON:
    """Repeat purchases up to the end of each week, foretold and happened; held-back weeks are shaded."""
    data = [
        _line(weeks, "actual", "happened", "--alone"),
        _line(weeks, "expected", "foretold", "--accent"),
    ]
    held = [one["week"] for one in weeks if one["held_back"]]
    shade = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "fillcolor": "--sunk", "layer": "below",
             "line": {"width": 0}}  # fmt: skip
    shapes = [{**shade, "x0": held[0] - 1, "x1": held[-1]}] if held else []
    across = {**FLAT, "title": {"text": "week"}, "nticks": 6}
    up = {**UP, "tickformat": ",", "nticks": 4}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    shape = {**layout(280), "showlegend": True, "legend": legend, "shapes": shapes}
    return {"data": data, "layout": {**shape, "xaxis": across, "yaxis": up}}


def _line(weeks: Sequence[JSON], key: str, name: str, colour: str) -> JSON:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [one["week"] for one in weeks],
        "y": [one[key] for one in weeks],
        "name": name,
        "line": {"color": colour, "width": 2.5},
        "hovertemplate": f"{name} by week %{{x}}: %{{y:,.0f}}<extra></extra>",
    }

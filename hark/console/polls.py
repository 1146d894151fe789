"""Figures of surveys: what was chosen, and the score over time with its interval."""

from __future__ import annotations

from hark.console.charts import layout
from hark.learn.surveys import SurveyReport
from hark.model import JSON

ROW_PX = 40


def options(report: SurveyReport) -> JSON:
    """A bar for each answer, the first on top, with the share and its interval."""
    shown = report.options[::-1]
    data = {
        "type": "bar",
        "orientation": "h",
        "y": [one.label for one in shown],
        "x": [100 * one.share for one in shown],
        "customdata": [one.count for one in shown],
        "marker": {"color": "--accent"},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (one.high - one.share) for one in shown],
            "arrayminus": [100 * (one.share - one.low) for one in shown],
            "color": "--soft",
            "thickness": 1.5,
            "width": 4,
        },
        "hovertemplate": "%{customdata:,} answers, %{x:.1f} %<extra>%{y}</extra>",
    }
    across = {
        "fixedrange": True,
        "ticksuffix": " %",
        "gridcolor": "--line",
        "rangemode": "tozero",
        "nticks": 5,
    }
    up = {"fixedrange": True, "type": "category", "automargin": True, "tickmode": "linear"}
    height = 60 + ROW_PX * min(len(shown), 5) + 22 * max(0, len(shown) - 5)
    return {"data": [data], "layout": {**layout(height), "xaxis": across, "yaxis": up, "bargap": 0.3}}


def over_time(report: SurveyReport) -> JSON:
    """The score of each period that has answers, with its interval."""
    found = [(one.period, one.score, one.low, one.high) for one in report.periods if one.score is not None]
    data = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [period for period, *_ in found],
        "y": [score for _, score, _, _ in found],
        "line": {"color": "--accent", "width": 2.5},
        "marker": {"color": "--accent", "size": 7},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [0 if high is None else high - score for _, score, _, high in found],
            "arrayminus": [0 if low is None else score - low for _, score, low, _ in found],
            "color": "--soft",
            "thickness": 1.5,
            "width": 4,
        },
        "hovertemplate": "%{y:.1f}<extra>%{x}</extra>",
    }
    flat = {"fixedrange": True, "zeroline": False}
    across = {**flat, "type": "date", "showgrid": False, "nticks": 5, "tickangle": 0}
    up = {**flat, "gridcolor": "--line", "nticks": 5, "automargin": True}
    return {"data": [data], "layout": {**layout(280), "xaxis": across, "yaxis": up}}

"""Hark: a customer engagement system that believes only what it measured.

The folders are the verbs of one loop, in the order in which things happen:

    collect      an event comes in            (HTTP, formats, steps, refusals)
    history      it becomes somebody's story  (identity, timeline, the event table)
    understand   we ask questions             (conditions, segments, funnels, retention, paths, trends)
    definitions  what the team wrote down     (YAML documents, versions, plan and apply)
    decide       we choose whether to speak   (the reducers of step, campaigns, assignment, rules)
    speak        we say it                    (render, outbox, channels, links)
    learn        we find out whether it helped (comparison, checks, report)
    store        where it all lives           (contracts and the embedded engine)
    console      what people see              (Django pages)

`model` holds the nouns, `clock` time, ids and chance, `engine` the loop, `app` the joins.

From Python: `hark.open("hark-data").funnel(["Signed Up", "Order Completed"], within="7d")`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hark.workspace import History


def open(data: str | Path = "hark-data") -> History:  # noqa: A001 - as in hark.open
    """The history of a data directory, to ask. Raises HarkError `data.missing` where there is none."""
    # What answers questions takes a second to load, which only who asks should pay.
    from hark.workspace import History

    return History(Path(data))

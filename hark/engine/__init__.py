"""The engine: reads the log, folds, commits one transaction a tick, hands messages off, seals the history.

intake      rows of the log: urgent, live, bulk          read
rows        split, deduplicated, resolved to subjects
folder      inputs through `step`, record by record      fold
gather      what changed, as one transaction             commit
messages    due, sending, outcome                        hand off
sealing     `recent` into the history, in a thread
loop        these in their order: `Engine`
"""

from hark.engine.loop import Engine

__all__ = ["Engine"]

"""`hark doctor`: reads every byte that can be read, says what is damaged and lost, rebuilds the history.

findings    what a look at one file answers
sqlite      files of SQLite: structure, and what of damaged tables can still be read
log         the log: each row's checksum, no row missing
state       state.db: records, chunks, definitions
history     the Delta table: each page's checksum, counts, order
small       sources, settings, keys, accounts
rebuild     a new history from what can be read of the old one and from the log
"""

from hark.doctor.look import look, total_bytes
from hark.doctor.rebuild import Rebuilt, rebuild

__all__ = ["Rebuilt", "look", "rebuild", "total_bytes"]

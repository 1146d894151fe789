"""Ad-hoc SQL by DuckDB over the history, read-only: for people. The product's own answers come from kernels.

    events      subject, at, seq, event, kind, source, message_id, received_at, known_at, active, properties,
                context (the last two JSON); one row an event of a customer under today's identities
    customers   subject, kind, id: one row an id that somebody is known by
    merges      younger, older: which subject became which

Everything is there, our own people and Hark's facts too (`kind` 8); the erased are not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from hark.errors import HarkError
from hark.history.columns import table as decoded
from hark.history.merged import Merged
from hark.history.seal import as_rows
from hark.model import GROUPS
from hark.store.state import StateReader
from hark.store.table import ROWS, EventTable

if TYPE_CHECKING:
    import duckdb

READING = {"SELECT", "EXPLAIN", "PRAGMA"}
"""Kinds of statements that only read. DESCRIBE, SHOW and SUMMARIZE are of the first."""
TABLES = ("events", "customers", "merges")
_COLUMNS = """"at", seq, name as event, kind, source, message_id, received_at, known_at, active,
    properties::json as properties, context::json as context"""


def query(data: Path, state: StateReader, text: str) -> pa.Table:
    """What a query finds, as of now. Raises HarkError `sql.wrong`, or `sql.reads` if it would write."""
    import duckdb

    try:
        statements = duckdb.extract_statements(text)
        if len(statements) != 1 or statements[0].type.name not in READING:
            raise HarkError("hark sql reads, and runs one statement", "write one SELECT", "sql.reads")
        with opened(data, state, text) as database:
            return database.sql(text).to_arrow_table()
    except duckdb.Error as error:
        hint = f"tables: {', '.join(TABLES)}; their columns: hark sql 'DESCRIBE events'"
        raise HarkError(str(error).splitlines()[0], hint, "sql.wrong") from None


def opened(data: Path, state: StateReader, text: str) -> duckdb.DuckDBPyConnection:
    """A database in memory with the tables as views; it can read the history's folder and nothing else.

    `customers` is filled only for a text that names it.
    """
    import duckdb

    folder = data.resolve() / "history"
    database = duckdb.connect()
    table = EventTable(folder)
    version = table.version()
    merged = Merged(state.merges())
    younger = np.array(sorted(set(merged.after(0).tolist())), np.int64)
    _put(database, "merges", {"younger": younger, "older": merged.canonical(younger)})
    _put(database, "erased", {"subject": np.array(sorted(state.erased()), np.int64)})
    _put(database, "customers", _ids(state) if "customers" in text.lower() else _NOBODY)
    recent = [decoded(chunk) for chunk in state.recent(version.sealed if version else 0)]
    rows = as_rows(recent) if recent else ROWS.empty_table()
    database.register("recent", rows.cast(ROWS))
    files = (
        [str(folder / one.path) for one in version.files if one.bucket < version.buckets] if version else []
    )
    database.execute(_view(files))
    database.execute("set allowed_directories = ?", [[str(folder)]])
    database.execute("set enable_external_access = false")
    database.execute("set lock_configuration = true")
    return database


def _put(database: duckdb.DuckDBPyConnection, name: str, columns: dict[str, Any]) -> None:
    database.register(f"{name}_now", pa.table(columns))
    database.execute(f"create table {name} as from {name}_now")


_NOBODY = {"subject": pa.array([], pa.int64()), "kind": pa.array([], pa.string()),
           "id": pa.array([], pa.string())}  # fmt: skip


def _ids(state: StateReader) -> dict[str, Any]:
    found = [(subject, *known) for subject in state.subjects() for known in state.ids(subject)]
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    types = pa.int64(), pa.string(), pa.string()
    return {
        name: pa.array(list(column), type_)
        for name, column, type_ in zip(("subject", "kind", "id"), columns, types, strict=True)
    }


def _view(files: list[str]) -> str:
    """The view over sealed files and waiting rows: `origin` is the id with which a merged row came."""
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    sealed = f"from read_parquet([{listed}], hive_partitioning = false) union all by name" if files else ""
    return f"""create view events as
        with rows as ({sealed} from recent where subject < {GROUPS})
        select coalesce(older, coalesce(origin, subject)) as subject, {_COLUMNS}
        from rows left join merges on younger = coalesce(origin, subject)
        where coalesce(older, coalesce(origin, subject)) not in (select subject from erased)"""

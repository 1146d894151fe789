"""Answers as tables: for Arrow, pandas, files and notebooks."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from hark.errors import HarkError
from hark.model import JSON

if TYPE_CHECKING:
    import pyarrow as pa

Row: TypeAlias = Mapping[str, JSON]


class Tabular(Struct, frozen=True):
    """An answer that is, at its core, a table: `rows` gives it, all with the same columns."""

    def rows(self) -> Iterator[Row]:
        """The rows, each by the names of the columns."""
        raise NotImplementedError

    def to_json(self) -> JSON:
        """Everything, as plain data."""
        return msgspec.json.decode(msgspec.json.encode(self))

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        import pyarrow as pa

        return pa.Table.from_pylist([dict(row) for row in self.rows()])

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame. Raises HarkError `pandas.missing` where pandas is not installed."""
        try:
            import pandas as pd
        except ImportError:
            raise HarkError(
                "pandas is not installed", "pip install pandas, or use to_arrow()", "pandas.missing"
            ) from None
        return pd.DataFrame([dict(row) for row in self.rows()])

    def write(self, path: Path) -> None:
        """The answer as a file: .csv or .parquet have the rows, .json everything. Raises HarkError."""
        if path.suffix.lower() == ".json":
            path.write_bytes(msgspec.json.encode(self))
        else:
            write_table(self.to_arrow(), path)

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        rows = list(self.rows())
        if not rows:
            return "<p>nothing yet</p>"
        head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
        body = "".join(f"<tr>{''.join(_cell(value) for value in row.values())}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def write_table(table: pa.Table, path: Path) -> None:
    """A table as .csv or .parquet. Raises HarkError `answer.file` for any other name."""
    path.write_bytes(as_bytes(table, path.suffix.lower()))


def as_bytes(table: pa.Table, suffix: str) -> bytes:
    """The table as a .csv or .parquet file. Raises HarkError `answer.file` for any other suffix."""
    from pyarrow import csv, parquet

    writers = {".csv": csv.write_csv, ".parquet": parquet.write_table}
    if suffix not in writers:
        message = f"{suffix or 'a file without an ending'} is nothing we write"
        raise HarkError(message, "name it .csv, .parquet or .json", "answer.file")
    out = io.BytesIO()
    writers[suffix](table, out)
    return out.getvalue()


def _cell(value: JSON) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{'' if value is None else escape(str(value))}</td>"
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return f'<td style="text-align:right">{shown}</td>'

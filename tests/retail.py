"""The orders of a real shop (UCI Online Retail): positive lines with a customer, by invoice."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from pyarrow import compute, parquet

from tests.data import shared

DECEMBER_2010 = [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]
"""How many of those whose first order was in December 2010 ordered in each month after (data README)."""

ORDERS, LINES = 18_536, 397_924


@cache
def orders() -> pa.Table:
    """18,536 orders: customer, at (shop's local time), invoice, revenue, lines, country, email (ours)."""
    kept = _kept()
    grouped = (
        kept.append_column("revenue", _revenue(kept))
        .group_by(["CustomerID", "InvoiceNo"])
        .aggregate([("InvoiceDate", "min"), ("revenue", "sum"), ("StockCode", "count"), ("Country", "min")])
    )
    names = {
        "CustomerID": "customer", "InvoiceNo": "invoice", "InvoiceDate_min": "at",
        "revenue_sum": "revenue", "StockCode_count": "lines", "Country_min": "country",
    }  # fmt: skip
    found = grouped.rename_columns(names).sort_by([("at", "ascending"), ("invoice", "ascending")])
    emails = [f"customer{customer}@shop.example" for customer in found["customer"].to_pylist()]
    return found.append_column("email", pa.array(emails))


@cache
def lines() -> pa.Table:
    """The 397,924 lines themselves, numbered: customer, at, line, invoice, revenue, country, email."""
    kept = _kept()
    count = range(kept.num_rows)
    return pa.table(
        {
            "customer": kept["CustomerID"],
            "at": kept["InvoiceDate"],
            "line": list(count),
            "invoice": kept["InvoiceNo"],
            "revenue": _revenue(kept),
            "country": kept["Country"],
            "email": [f"customer{customer}@shop.example" for customer in kept["CustomerID"].to_pylist()],
        }
    )


def _kept() -> pa.Table:
    """Lines with a positive quantity and a customer."""
    lines = parquet.read_table(shared("online_retail/online_retail_lines.parquet"))
    return lines.filter(
        compute.and_(compute.greater(lines["Quantity"], 0), compute.is_valid(lines["CustomerID"]))
    )


def _revenue(lines: pa.Table) -> pa.ChunkedArray:
    quantity, price = (compute.cast(lines[name], "float64") for name in ("Quantity", "UnitPrice"))
    return compute.multiply(quantity, price)

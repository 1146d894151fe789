"""The orders of a real shop (UCI Online Retail): positive lines with a customer, by invoice."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from pyarrow import compute, parquet

from tests.data import shared

DECEMBER_2010 = [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]
"""How many of those whose first order was in December 2010 ordered in each month after (data README)."""

ORDERS = 18_536


@cache
def orders() -> pa.Table:
    """18,536 orders: customer, at (shop's local time), invoice, revenue, lines, country, email (ours)."""
    lines = parquet.read_table(shared("online_retail/online_retail_lines.parquet"))
    kept = lines.filter(
        compute.and_(compute.greater(lines["Quantity"], 0), compute.is_valid(lines["CustomerID"]))
    )
    revenue = compute.multiply(
        compute.cast(kept["Quantity"], "float64"), compute.cast(kept["UnitPrice"], "float64")
    )
    grouped = (
        kept.append_column("revenue", revenue)
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

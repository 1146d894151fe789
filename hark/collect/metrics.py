"""What `/metrics` shows, in Prometheus' text by its own library. Gathered when somebody asks, in a thread.

Names, types and labels are listed in docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import TypeAlias

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from hark.collect.counts import Counts
from hark.collect.readiness import RedReason
from hark.collect.watch import Watch
from hark.store.standing import Standing
from hark.store.vitals import Histogram, Vitals

Calls: TypeAlias = Mapping[str, "SourceCounts"]


class SourceCounts(Struct, frozen=True):
    """Calls of one source ("": of none) since the data directory was made."""

    accepted: int
    refused: dict[str, int]


def by_source(counts: Counts) -> Calls:
    """A copy of the counts; for the event loop's thread."""
    return msgspec.convert(counts.by_source(), dict[str, SourceCounts])


def exposition(watch: Watch, calls: Calls, waiting: tuple[int, int]) -> tuple[bytes, bytes]:
    """(content type, text) from what `watch` has seen, the counts by source, and (requests, bytes) in the
    queue of the log."""
    registry = CollectorRegistry()
    registry.register(_Families(watch, calls, waiting))
    return CONTENT_TYPE_LATEST.encode(), generate_latest(registry)


class _Families(Collector):
    def __init__(self, watch: Watch, calls: Calls, waiting: tuple[int, int]) -> None:
        self._watch, self._calls, self._waiting = watch, calls, waiting

    def collect(self) -> Iterator[Metric]:
        watch, standing = self._watch, self._watch.standing
        yield InfoMetricFamily("hark", "The server's version.", value={"version": version("hark")})
        yield from _calls(self._calls)
        yield from _traffic(watch, *self._waiting)
        yield from _reds(watch)
        if standing:
            yield from _standing(standing, watch.lag_s())
            yield from _processes(standing)
            yield from _engine(standing.vitals or Vitals(), standing.seen_s)


def _calls(found: Calls) -> Iterator[Metric]:
    accepted = CounterMetricFamily("hark_calls_accepted", "Calls that are in the log.", labels=["source"])
    refused = CounterMetricFamily(
        "hark_calls_refused", "Calls and requests that were not stored.", labels=["source", "reason"]
    )
    for source, counts in found.items():
        accepted.add_metric([source], counts.accepted)
        for reason, calls in counts.refused.items():
            refused.add_metric([source, reason], calls)
    yield accepted
    yield refused


def _traffic(watch: Watch, waiting: int, waiting_bytes: int) -> Iterator[Metric]:
    yield _gauge("hark_requests_inside", "Requests that are being answered.", watch.traffic.inside)
    yield _gauge("hark_request_bytes_inside", "Bytes of their bodies, as announced.", watch.traffic.bytes)
    yield CounterMetricFamily(
        "hark_requests_turned_away", "Requests without room for their bodies.", watch.traffic.turned_away
    )
    yield _gauge("hark_log_queue_requests", "Requests that wait to be written.", waiting)
    yield _gauge("hark_log_queue_bytes", "Bytes that wait to be written.", waiting_bytes)
    yield _histogram("hark_log_write_seconds", "Commits of the log with their fsync.", watch.writes)


def _reds(watch: Watch) -> Iterator[Metric]:
    found = {red.reason for red in watch.reds()}
    yield _gauge("hark_ready", "1: /health/ready is green.", float(not found))
    by_reason = {str(reason): float(reason in found) for reason in RedReason}
    yield _labelled("hark_not_ready", "1: this is why it is not green.", "reason", by_reason)


def _standing(standing: Standing, lag_s: float) -> Iterator[Metric]:
    ends = {lane.name.lower(): row for lane, row in standing.ends.items()}
    cursors = {lane.name.lower(): row for lane, row in standing.cursors.items()}
    yield _labelled("hark_log_end_row", "The last row of the log.", "lane", ends)
    yield _labelled("hark_engine_cursor_row", "The row the engine has come to.", "lane", cursors)
    yield _gauge("hark_engine_lag_seconds", "How long the oldest unread event has waited.", lag_s)
    yield _gauge("hark_log_unread_bytes", "Log on disk that the engine has not read.", standing.unread_bytes)
    yield _gauge("hark_disk_free_bytes", "Free on the disk of the data directory.", standing.free_bytes)
    yield _labelled("hark_outbox_messages", "Messages by state.", "state", standing.outbox)


def _processes(standing: Standing) -> Iterator[Metric]:
    found = standing.processes
    resident = {role: one.resident_bytes for role, one in found.items()}
    files = {role: one.open_files for role, one in found.items()}
    threads = {role: one.threads for role, one in found.items()}
    yield _labelled("hark_process_resident_bytes", "Memory of each process.", "role", resident)
    yield _labelled("hark_process_open_files", "Its open descriptors.", "role", files)
    yield _labelled("hark_process_threads", "Its threads.", "role", threads)
    cpu = CounterMetricFamily("hark_process_cpu_seconds", "Processor time it has used.", labels=["role"])
    for role, one in found.items():
        cpu.add_metric([role], one.cpu_s)
    yield cpu


def _engine(vitals: Vitals, seen_s: float) -> Iterator[Metric]:
    yield _histogram("hark_engine_tick_seconds", "Ticks that had something to do.", vitals.ticks)
    yield CounterMetricFamily("hark_engine_events", "Events and facts folded since its start.", vitals.events)
    heard_s = max(0.0, seen_s - vitals.at_s) if vitals.at_s else -1.0
    yield _gauge("hark_engine_heard_seconds", "Since the engine was heard of; -1: never.", heard_s)
    yield _gauge("hark_engine_tick_fails", "1: its last tick failed.", float(bool(vitals.failure)))
    yield _gauge("hark_engine_seal_fails", "1: its last sealing failed.", float(bool(vitals.seal_failure)))


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value)


def _labelled(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, what: str, found: Histogram) -> Metric:
    """Each bucket with those before it, as Prometheus counts."""
    bounds = [*map(str, found.bounds), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(found.counts)), strict=True))
    return HistogramMetricFamily(name, what, buckets=buckets, sum_value=found.sum_s)

"""Sources: where events come from, their keys, settings and counts. Changed through collect, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods
from msgspec import Struct

from hark.collect.source_changes import Add, AddKey, Change, ExpireKey, Set
from hark.collect.sources import Made
from hark.connected import SourceView, source_view, source_views
from hark.console import charts
from hark.console.filters import local
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import DAY, HOUR, JSON, Instant
from hark.store.contracts import Reject
from hark.store.counts import Hour, read_hours
from hark.store.rejects import RejectSearch, find_rejects

HOURS = 7 * 24
LATEST = 5


class SourcesPage(Struct, frozen=True):
    """All sources, and room for one more."""

    sources: tuple[SourceView, ...]
    name: str = ""
    """What was asked for, where it was refused."""
    error: str = ""


class SourcePage(Struct, frozen=True):
    """One source."""

    source: SourceView
    url: str
    accepted: JSON
    refused: JSON
    """Figures of the last seven days by the hour; None: nothing happened."""
    latest: tuple[Reject, ...]
    made: Made | None = None
    """Keys that were just made; a secret one is shown here and never again."""
    error: str = ""

    @property
    def protected(self) -> str:
        """One event a line."""
        return "\n".join(self.source.protected)

    @property
    def origins(self) -> str:
        return "\n".join(self.source.origins)


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """GET /sources; POST makes a source and shows it with its keys."""
    here, error, name = source(), "", request.POST.get("name", "").strip()
    if request.method == "POST":
        try:
            made = here.change_source(Add(name))
        except HarkError as refused:
            error = _said(refused)
        else:
            return respond(request, "source.html", page(here, made.source, made))
    found = SourcesPage(tuple(source_views(here.data, here.now())), name, error)
    return respond(request, "sources.html", found, 400 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def view(request: HttpRequest, name: str) -> HttpResponse:
    """GET /sources/NAME; POST changes its settings or keys."""
    here, made, error = source(), None, ""
    if request.method == "POST":
        try:
            made = here.change_source(_change(name, request.POST, here.now()))
        except (HarkError, ValueError) as refused:
            error = _said(refused)
    return respond(request, "source.html", page(here, name, made, error), 400 if error else 200)


def page(here: Source, name: str, made: Made | None = None, error: str = "") -> SourcePage:
    """The context of one source's page."""
    try:
        found = source_view(here.data, name, here.now())
    except HarkError:
        raise Http404 from None
    accepted, refused = _figures(here, name)
    latest = find_rejects(here.data / "log", RejectSearch(name), LATEST)
    shown = made if made and (made.write_key or made.secret_key) else None
    return SourcePage(found, here.url, accepted, refused, tuple(latest), shown, error)


def _figures(here: Source, name: str) -> tuple[JSON, JSON]:
    first = (here.now() // HOUR - HOURS + 1) * HOUR
    counted = read_hours(here.data / "log" / "counts.db", first)
    mine = [one for one in counted if one.source == name]
    good, bad = [one for one in mine if not one.reason], [one for one in mine if one.reason]
    return _figure(good, first, "--accent"), _figure(bad, first, "--bad")


def _figure(counted: Sequence[Hour], first: Instant, colour: str) -> JSON:
    if not counted:
        return None
    by: Counter[Instant] = Counter()
    for one in counted:
        by[one.at] += one.calls
    hours = [first + number * HOUR for number in range(HOURS)]
    names = [f"{local(hour):%Y-%m-%d %H:00}" for hour in hours]
    return charts.bars(names, [by[hour] for hour in hours], colour)


def _said(error: Exception) -> str:
    if isinstance(error, HarkError):
        return f"{error.message}. {error.hint}".strip()
    return f"That could not be read: {error}"


def _change(name: str, given: QueryDict, now: Instant) -> Change:
    """What a form asks for. Raises ValueError where a number is none."""
    return _FORMS.get(given.get("do", ""), _settings)(name, given, now)


def _settings(name: str, given: QueryDict, _: Instant) -> Change:
    rate = given.get("rate_per_s", "").strip()
    return Set(
        name,
        strict=given.get("strict") == "yes",
        protected=_lines(given.get("protected", "")),
        origins=_lines(given.get("origins", "")),
        body_bytes=int(given.get("body_kb", "")) * 1024,
        rate_per_s=float(rate) if rate else None,
        dedupe_us=round(float(given.get("dedupe_days", "")) * DAY),
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (line.strip() for line in text.splitlines())))


def _add_key(name: str, given: QueryDict, now: Instant) -> Change:
    days = given.get("others_days", "").strip()
    return AddKey(name, given.get("sort") == "secret", now + round(float(days) * DAY) if days else None)


def _expire_key(name: str, given: QueryDict, now: Instant) -> Change:
    days = given.get("days", "").strip()
    return ExpireKey(name, given.get("key", ""), now + round(float(days) * DAY) if days else None)


def _enabled(name: str, given: QueryDict, _: Instant) -> Change:
    return Set(name, disabled=given.get("do") == "disable")


_FORMS: dict[str, Callable[[str, QueryDict, Instant], Change]] = {
    "settings": _settings,
    "add_key": _add_key,
    "expire_key": _expire_key,
    "enable": _enabled,
    "disable": _enabled,
}

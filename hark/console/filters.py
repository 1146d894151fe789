"""How values look in templates: numbers, shares, moments, spans of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hark.clock import moment
from hark.model import JSON, Instant

register = template.Library()

MINUS = "\N{MINUS SIGN}"
_NEGATIVE = re.compile(r"(?<![\w-])-(?=\d)")


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file: "console/console.css", "htmx/...", "plotly/..."."""
    return f"{settings.STATIC_URL}{path}"


@register.filter
def say(sentence: str, page: object) -> str:
    """A sentence of `hark.speak.words` with what the page knows: "Leave {says}?"."""
    return sentence.format_map({name: getattr(page, name, "") for name in ("says", "channel", "who")})


@register.filter
def number(value: float | None) -> str:
    """1,234 or 12.34; a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


@register.filter
def share(part: float) -> str:
    """A share that somebody chose: "40 %", "2.5 %"."""
    return f"{part * 100:.3g} %"


@register.filter
def whole(part: float) -> str:
    """A share without decimals, where many stand side by side."""
    return f"{part * 100:.0f} %"


@register.filter
def minus(sentence: str) -> str:
    """True minus signs before numbers, so that none stands alone at a line's end."""
    return _NEGATIVE.sub(MINUS, sentence)


@register.filter
def points(share: float | None) -> str:
    """A difference of shares with its sign: "+1.2 %"; a true minus, so that columns stand in line."""
    if share is None:
        return "–"
    return f"{share * 100:+.1f} %".replace("-", MINUS)


@register.filter
def signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+,.2f}".replace("-", MINUS)


@register.filter
def span(seconds: float | None) -> str:
    """The two largest units a person would say: "2 d 5 h", "3 min 20 s", "0.4 s"."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
    rest = round(seconds)
    said: list[str] = []
    for size, name in units:
        if rest >= size and len(said) < 2:
            said.append(f"{rest // size} {name}")
            rest %= size
        elif said:
            break
    return " ".join(said)


@register.filter
def local(at: Instant) -> datetime:
    """The instant in the workspace's zone."""
    return moment(at).astimezone(ZoneInfo(settings.HARK_ZONE))


@register.filter
def when(at: Instant | None) -> SafeString | str:
    """Date and minute in the workspace's zone, with the exact instant for machines and on hovering."""
    return "–" if at is None else _time(at, "%Y-%m-%d %H:%M")


@register.filter
def clock(at: Instant) -> SafeString:
    """The time of day alone."""
    return _time(at, "%H:%M:%S")


@register.filter
def day(at: Instant | None) -> SafeString | str:
    return "–" if at is None else _time(at, "%d %b %Y")


@register.filter
def date_text(at: Instant) -> str:
    """The local day as plain text, to see whether two instants share it."""
    return local(at).strftime("%Y-%m-%d")


def _time(at: Instant, form: str) -> SafeString:
    exact = moment(at).isoformat()
    return format_html('<time datetime="{}" title="{}">{}</time>', exact, exact, local(at).strftime(form))


@register.filter
def as_json(value: JSON) -> str:
    """Plain data as JSON, for an attribute."""
    return msgspec.json.encode(value).decode()


@register.filter
def meter(share: float) -> SafeString:
    """A bar for a share of one, drawn without inline styles; the number stands beside it in the text."""
    width = f"{max(0.0, min(1.0, share)) * 100:.2f}"
    return format_html(
        '<span class="meter" aria-hidden="true"><svg viewBox="0 0 100 8" preserveAspectRatio="none">'
        '<rect width="{}" height="8" fill="currentColor"/></svg></span>',
        width,
    )


@register.filter
def spark(values: Sequence[int]) -> SafeString:
    """Small bars, one a value, the highest as tall as the picture; the sum is said for who can't see it."""
    most = max([*values, 1])
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="8" height="{}"/>',
        (
            (place * 10, f"{40 - 40 * value / most:.1f}", f"{40 * value / most:.1f}")
            for place, value in enumerate(values)
            if value
        ),
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} 40" preserveAspectRatio="none" role="img" '
        'aria-label="{} in {} days" fill="currentColor">{}</svg>',
        10 * len(values),
        f"{sum(values):,}",
        len(values),
        bars,
    )

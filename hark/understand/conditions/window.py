"""Which of an event's occurrences are looked at."""

from __future__ import annotations

from msgspec import Struct

from hark.model import Instant


class Window(Struct, frozen=True, omit_defaults=True):
    """Which matches count; at most one of the fields is given, none: all that ever happened."""

    within_us: int | None = None
    """Those in (now - within, now]."""
    between: tuple[Instant, Instant] | None = None
    """Those from the first instant on and before the second."""
    today: bool = False
    """Those of the present day of the workspace's zone."""
    since: tuple[str, ...] = ()
    """Those after the latest of these events, in (at, seq); none without such an event."""
    entry: bool = False
    """Those after the entry into the campaign; none outside of one."""
    after: tuple[Instant, int] | None = None
    """With `entry`, the (at, seq) of the entry."""

    @property
    def marked(self) -> bool:
        """Counted from an event of the subject's own."""
        return bool(self.since) or self.entry

    @property
    def moving(self) -> bool:
        """What counts depends on the moment, or on the mark."""
        return self.within_us is not None or self.today or self.marked

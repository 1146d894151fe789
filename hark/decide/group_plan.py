"""What is folded into the record of a group: its traits, and nothing that decides."""

from __future__ import annotations

from hark.decide.plan import Plan
from hark.decide.watch import GROUP_CALL, Asked, Watch
from hark.model import Event, Kind


class GroupPlan(Plan):
    """What events set off in the record of a group: a group call states its traits."""

    def __init__(self) -> None:
        super().__init__(())

    def touches(self, event: Asked) -> bool:
        return event.name == GROUP_CALL

    def watch_of(self, event: Event, first: bool) -> Watch | None:  # noqa: ARG002 - of any event alike
        return _OF_GROUPS if event.kind == Kind.GROUP else None


_OF_GROUPS = Watch(parts=("profile",))

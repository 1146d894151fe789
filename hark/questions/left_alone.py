"""Whom a list of customers must not name: those whom campaigns leave alone to be compared with.

A list leaves the house so that somebody writes to the people on it. Those left alone would then be left alone
no more, and nothing could be learned of what the campaigns change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hark.decide.record import fresh
from hark.definitions.document import Document
from hark.definitions.problems import nearest
from hark.errors import HarkError
from hark.model import Instant

if TYPE_CHECKING:
    from hark.decide.plan import Plan
    from hark.questions.desk import Desk


class LeftAlone:
    """Says of customers by what they are left alone: `global_control`, or the name of a campaign."""

    def __init__(self, desk: Desk, campaigns: Sequence[str] = (), segment: str = "") -> None:
        """By the global control, by these campaigns and by those that entering the `segment` starts.

        Raises HarkError `campaign.unknown`.
        """
        self._state, self._now = desk.state, desk.clock.now()
        self._plan = _plan(desk.state.documents(), desk.zone)
        known = self._plan.current
        for name in campaigns:
            if name not in known:
                hint = nearest(name, known) or f"there are: {', '.join(known) or 'none'}"
                raise HarkError(f"no campaign {name}", hint, "campaign.unknown")
        started = [course.name for course in self._plan.entering(segment)]
        self._campaigns = list(dict.fromkeys([*campaigns, *started]))

    def among(self, subjects: Iterable[int]) -> dict[int, str]:
        """By subject what leaves it alone; others are not in it."""
        if not self._campaigns and not self._plan.holdouts.share:
            return {}
        found = ((subject, self._of(subject)) for subject in subjects)
        return {subject: why for subject, why in found if why}

    def _of(self, subject: int) -> str:
        from hark.decide.arms import left_alone

        record = self._state.record(subject)
        if record is None:
            key: tuple[str, Instant] = self._state.key(subject) or (str(subject), 0)
            record = fresh(subject, *key)
        return left_alone(record, self._plan, self._campaigns, self._now)


def _plan(documents: Sequence[Document], zone: str) -> Plan:
    # Late: all that decides is loaded for it, as in the engine.
    from hark.decide.plan import Plan

    return Plan.compile(documents, zone=zone)

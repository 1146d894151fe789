"""What customers are worth, as a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from hark.errors import HarkError
from hark.history.reader import Snapshot
from hark.learn.worth.answer import TooFewCustomers, Worth, ask_worth
from hark.model import JSON, Instant
from hark.questions.behaviour import whom

if TYPE_CHECKING:
    from hark.questions.desk import Desk

MOST_WEEKS = 260


class WorthQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """`event`: a purchase, "A|B" for any of several; `value`: dotted path of what it is worth."""

    event: str
    value: str | None = None
    ahead_weeks: int = 13
    held_back_weeks: int = 13
    at: Instant | None = None
    """As of this instant; None: now."""


def worth(desk: Desk, asked: WorthQuestion, snapshot: Snapshot) -> JSON:
    """`learn.worth.answer.WorthAnswer` as plain data, the customers by their ids.

    Raises HarkError `worth.few`: too few customers bought again; `question.wrong`: weeks out of range.
    """
    from hark.questions.kinds import known_as

    if not (1 <= asked.ahead_weeks <= MOST_WEEKS and 1 <= asked.held_back_weeks <= MOST_WEEKS):
        raise HarkError("so many weeks cannot be asked", f"give 1 to {MOST_WEEKS}", "question.wrong")
    names = tuple(asked.event.split("|"))
    question = Worth(names, asked.value, asked.ahead_weeks, asked.held_back_weeks, desk.zone)
    try:
        now = desk.clock.now() if asked.at is None else asked.at
        found = ask_worth(whom(desk, snapshot), question, now)
    except TooFewCustomers as error:
        hint = "wait for more purchases, or import older ones: hark import"
        raise HarkError(str(error), hint, "worth.few") from None
    answer = found.to_json()
    for one in answer["top"]:
        one["customer"] = known_as(desk.state, one.pop("subject"))
    return answer

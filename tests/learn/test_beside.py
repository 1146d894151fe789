"""Guardrails, and other campaigns' messages."""

from __future__ import annotations

from hark.learn.report import Report, report
from hark.model import DAY, Event
from tests.learn.histories import T0, Told, campaign, event, people


def told(events: list[Event]) -> Report:
    arms = people("mail", 400, 60, 1) + people("control", 400, 60, 5000)
    return report(Told(arms + events), [campaign()], T0 + 90 * DAY)


def test_a_broken_guardrail_is_said_and_decides_nothing() -> None:
    """80 of 400 written to unsubscribe within the window, 10 of those left alone; later ones don't count."""
    left = [event(n, T0 + 2 * DAY, 10 * n + 2, "Unsubscribed") for n in [*range(1, 81), *range(5000, 5010)]]
    late = [event(n, T0 + 20 * DAY, 10 * n + 3, "Unsubscribed") for n in range(5100, 5300)]
    found = told(left + late)
    assert (found.guardrails[0].treated.goals, found.guardrails[0].control.goals) == (80, 10)
    assert any(one.startswith("Guardrail broken: more people Unsubscribed, +17.5") for one in found.sentences)
    assert found.verdict == told([]).verdict


def test_other_campaigns_messages_are_counted_by_arm() -> None:
    """Only those of others, only within the window: 0.5 a person treated, 0.25 left alone."""
    sent = [event(n, T0 + DAY, 10 * n + 4, "Message Sent", {"campaign": "other"}) for n in range(1, 201)]
    sent += [event(n, T0 + DAY, 10 * n + 4, "Message Sent", {"campaign": "other"}) for n in range(5000, 5100)]
    sent += [event(n, T0 + DAY, 10 * n + 5, "Message Sent", {"campaign": "c"}) for n in range(1, 401)]
    sent += [
        event(n, T0 + 15 * DAY, 10 * n + 6, "Message Sent", {"campaign": "other"}) for n in range(1, 401)
    ]
    found = told(sent)
    assert {one.arm: one.messages for one in found.others} == {"control": 0.25, "mail": 0.5}
    assert any("0.25 in control and 0.50 in mail" in one for one in found.sentences)

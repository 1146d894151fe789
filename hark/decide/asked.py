"""Messages that somebody's product asks for by a call, and what providers report of messages later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hark.decide.messages import address, came_out, described
from hark.decide.reasons import Why
from hark.decide.suppressions import bar
from hark.decide.work import Work
from hark.model import JSON, FactName, Outcome, Sent

REPLY = "_reply"
"""The built-in template of the task to read what a customer answered."""
REPORTS: Mapping[str, FactName] = {
    "delivered": FactName.MESSAGE_DELIVERED,
    "bounced": FactName.MESSAGE_BOUNCED,
    "complained": FactName.MESSAGE_COMPLAINED,
}
"""What a provider reports after it took a message, each later one outdoing those before it."""


def message(work: Work, data: Mapping[str, Any]) -> None:
    """A transactional message of no campaign is wanted now; what may hold it back is asked at the hand-off.

    `id` is the message's own, derived from the caller's key: who repeats the call repeats nothing.
    """
    sent = Sent(
        message=data["id"],
        run="",
        campaign="",
        template=data["template"],
        topic="",
        channel=data["channel"],
        wanted_at=work.now,
        state="wanted",
        due_at=work.now,
        expires_at=work.now + data["expires_us"] if data.get("expires_us") else None,
        transactional=True,
        named=data.get("to") or "",
    )
    work.record.sends.append(sent)
    said: dict[str, JSON] = {
        "to": address(work, sent),
        "data": data.get("data") or {},
        "expires": sent.expires_at,
    }
    attached = {"attachments": data["attachments"]} if data.get("attachments") else {}
    work.emit(FactName.MESSAGE_WANTED, described(sent) | said | attached | {"due": sent.due_at})


def report(work: Work, data: Mapping[str, Any]) -> None:
    """What a provider says of a message `about` which facts are known: `what` of REPORTS, `to`, `detail`,
    `permanent`. It was accepted, then, if nobody knew; a lasting bounce and a complaint suppress."""
    about, what, to = data["about"], data["what"], str(data.get("to") or "")
    taken = Outcome(work.record.subject, work.now, about["message"], "sent", "reported by the provider")
    came_out(work, taken)
    lasting = what == "complained" or (what == "bounced" and bool(data.get("permanent")))
    if lasting and to:
        why = Why.COMPLAINED if what == "complained" else Why.BOUNCED
        bar(work, to, why, about["channel"], str(data.get("detail") or ""))
    facts = {"to": to, "detail": data.get("detail") or "", "permanent": lasting}
    origin = {"provider": data.get("provider") or "", "raw": data.get("raw") or ""}
    work.emit(REPORTS[what], about | facts | origin)

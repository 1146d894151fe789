"""Why a customer was or was not written to: the facts of one subject as a timeline of plain sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from hark.clock import moment
from hark.decide.asked import REPLY
from hark.decide.assignment import CONTROL, GLOBAL_CONTROL, PROGRAMME_CONTROL
from hark.decide.reasons import EXITS, HELD, REFUSALS, WHY, Held
from hark.model import (
    CAMPAIGN_TRIGGERED,
    DAY,
    GROUP_MESSAGE,
    GROUP_TRAITS,
    HOUR,
    JSON,
    MINUTE,
    SECOND,
    ConsentName,
    Event,
    FactName,
    Instant,
    ResponseName,
)

Properties: TypeAlias = Mapping[str, Any]


class Line(Struct, frozen=True):
    """One decision, or what it rested on."""

    at: Instant
    seq: int
    event: str
    """The fact's name."""
    campaign: str
    """"" for what belongs to no campaign."""
    sentence: str
    """In plain English; follows the customer's name: "entered back_again in the arm voucher"."""
    reason: str = ""
    """The stable name of the reason, where one was given."""
    values: JSON = None
    """What the fact carries, for whoever wants the numbers behind the sentence."""


def explain(events: Iterable[Event], campaign: str | None = None) -> list[Line]:
    """The timeline of one subject's decisions, in order of (at, seq); of one campaign, if given.

    Segments and consents are in it either way, since decisions rest on them.
    """
    lines = [line for event in events if (line := line_of(event))]
    kept = [line for line in lines if campaign is None or line.campaign in ("", campaign)]
    return sorted(kept, key=lambda line: (line.at, line.seq))


def line_of(event: Event) -> Line | None:
    """The line of one event; None for an event that decides nothing."""
    say = SENTENCES.get(event.name)
    if say is None:
        return None
    try:
        facts = msgspec.json.decode(event.properties, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    reason, campaign = str(facts.get("reason") or ""), str(facts.get("campaign") or "")
    return Line(event.at, event.seq, event.name, campaign, say(facts), reason, facts)


def shown(name: str, value: JSON) -> str:
    """A value of a reason as a person reads it: instants as dates, spans in their largest unit."""
    if value is None:
        return _NONE.get(name, "not set")
    if name in _INSTANTS:
        return f"{moment(value):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


_INSTANTS = frozenset(
    ("since", "last", "again", "starts", "ends", "met", "expires", "goal_at", "until", "due")
)
_NONE = {"again": "never", "starts": "its beginning", "ends": "no set end"}


def span(us: int) -> str:
    """A span of time in its largest fitting unit: "3 days", "90 minutes"."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if us >= unit:
            count = f"{us / unit:.3g}"
            return f"{count} {name}" + ("" if count == "1" else "s")
    return "an instant"


def filled(sentence: str, values: Mapping[str, JSON]) -> str:
    """A reason's sentence with its values; spans are given under their name without "_us"."""
    shows = {name: shown(name, value) for name, value in values.items()}
    shows |= {
        name.removesuffix("_us"): span(value)
        for name, value in values.items()
        if name.endswith("_us") and isinstance(value, int)
    }
    return sentence.format_map(_Known(shows))


class _Known(dict[str, str]):
    """A value which a fact of an older release does not carry is shown as its name."""

    def __missing__(self, name: str) -> str:
        return f"({name} not recorded)"


def _reason(sentences: Mapping[Any, str], facts: Properties) -> str:
    sentence = sentences.get(facts.get("reason"))
    return filled(sentence, facts.get("values") or facts) if sentence else str(facts.get("reason"))


def _called(facts: Properties) -> str:
    data = ", ".join(f"{name} {value}" for name, value in (facts.get("data") or {}).items())
    return f"was named by a call for {facts['campaign']}" + (f": {data}" if data else "")


def _entered(facts: Properties) -> str:
    arm, name = facts["arm"], facts["campaign"]
    after = f" after {facts['trigger']}" if facts.get("trigger") else ""
    how = "recorded at an earlier entry" if facts.get("carried") else f"probability {facts['propensity']:.3g}"
    if arm == GLOBAL_CONTROL:
        return f"met {name}{after}, but is in the global control and gets no campaign"
    if arm == PROGRAMME_CONTROL:
        return f"met {name}{after}, but is in the control of its programme and gets none of its campaigns"
    if arm == CONTROL:
        return f"entered {name}{after}, in the control: nothing is sent ({how})"
    return f"entered {name}{after}, in the arm {arm} ({how})"


def _programme(facts: Properties) -> str:
    name, likely = facts["programme"], f"probability {facts['propensity']:.3g}"
    if facts["arm"] == CONTROL:
        return f"qualified for the programme {name}, in its control: none of its campaigns is sent ({likely})"
    return f"qualified for the programme {name} ({likely})"


def _not_eligible(facts: Properties) -> str:
    return f"did not enter {facts['campaign']}: {_reason(REFUSALS, facts)}"


def _exited(facts: Properties) -> str:
    return f"ended the steps of {facts['campaign']}: {_reason(EXITS, facts)}"


def _restarted(facts: Properties) -> str:
    return f"began {facts['campaign']} anew, since {facts['trigger']} came again"


def _migrated(facts: Properties) -> str:
    where = f"from the step {facts['from_step']} to the step {facts['step']}"
    return f"was moved from version {facts['from']} of {facts['campaign']} to {facts['to']}, {where}"


def _stands(facts: Properties) -> str:
    return f"stands still in {facts['campaign']}, which was paused with {span(facts['left_us'])} to wait"


def _resumed(facts: Properties) -> str:
    return f"goes on in {facts['campaign']}, waiting until {shown('until', facts['until'])}"


def _split(facts: Properties) -> str:
    return f"went the way {facts['way']} of the test {facts['split']} in {facts['campaign']}"


def _updated(facts: Properties) -> str:
    traits = ", ".join(f"{name} {shown(name, value)}" for name, value in facts["traits"].items())
    return f"was given traits by {facts['campaign']}: {traits}"


def _goal(facts: Properties) -> str:
    value = facts.get("value")
    worth = "" if value is None else f", worth {value:g}"
    which = f"goal {facts['also'] + 1} (followed beside the goal)" if facts.get("also") else "the goal"
    if facts.get("held"):
        return f"reached {which} of {facts['campaign']}: at its window's end was one who {facts['held']}"
    return f"reached {which} of {facts['campaign']} by {facts.get('event') or 'it'}{worth}"


def _message(facts: Properties) -> str:
    origin = f" of {facts['campaign']}" if facts.get("campaign") else ""
    origin += f" to the member #{facts['member']}" if facts.get("member") else ""
    if facts["template"] in ("", REPLY):
        what = _OTHER.get(facts["template"] or facts["channel"], "a message")
    else:
        what = f"the message {facts['template']}"
    return f"{what}{origin}"


_OTHER = {
    "webhook": "the call of another system",
    "task": "the task for the team",
    REPLY: "the task to answer",
}


def _wanted(facts: Properties) -> str:
    waits = f", waiting until {shown('due', facts['due'])}: {_reason(HELD, facts)}"
    brings = f" with {facts['item']['title']}" if facts.get("item") else ""
    return f"{_message(facts)} was wanted{brings}" + (waits if facts.get("reason") else "")


def _deferred(facts: Properties) -> str:
    if facts.get("reason") == Held.PAUSED:
        return f"{_message(facts)} waits until its campaign goes on"
    return f"{_message(facts)} waits until {shown('until', facts['until'])}: {_reason(HELD, facts)}"


def _withheld(facts: Properties) -> str:
    if facts.get("member"):
        return f"{_message(facts)} was not sent ({facts['reason']}): their own history says why"
    return f"{_message(facts)} was not sent: {_reason(HELD, facts)}"


def _sending(facts: Properties) -> str:
    return f"{_message(facts)} was handed off to {facts.get('to') or 'the provider'}"


def _sent(facts: Properties) -> str:
    return f"{_message(facts)} was accepted by the provider"


def _failed(facts: Properties) -> str:
    lasting = "; the address is not written to again" if facts.get("permanent") else ""
    attempt = facts.get("attempt") or 1
    times = f" at attempt {attempt}" if attempt > 1 else ""
    return f"{_message(facts)} failed{times}: {facts.get('detail') or 'no detail was given'}{lasting}"


def _unknown(facts: Properties) -> str:
    then = "goes once more" if facts.get("again") else "is not sent again"
    return f"{_message(facts)} may or may not have arrived, and {then}"


def _delivered(facts: Properties) -> str:
    return f"{_message(facts)} was delivered"


def _bounced(facts: Properties) -> str:
    lasting = "; the address is not written to again" if facts.get("permanent") else ""
    return f"{_message(facts)} came back: {facts.get('detail') or 'no detail was given'}{lasting}"


def _complained(facts: Properties) -> str:
    return f"reported {_message(facts)} as unwanted; nothing more is sent to that address"


def _replied(facts: Properties) -> str:
    why = facts.get("why")
    how = f"was answered automatically ({why})" if facts.get("machine") else "was answered"
    return f"{_message(facts)} {how}: {_short(facts.get('text') or facts.get('subject') or 'no words')}"


def _short(text: str) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= 200 else words[:199] + "…"


def _segment_entered(facts: Properties) -> str:
    found = " (found in it when the segment was defined)" if facts.get("backfill") else ""
    return f"entered the segment {facts['segment']}{found}"


def _segment_left(facts: Properties) -> str:
    return f"left the segment {facts['segment']}"


def _level(facts: Properties) -> str:
    found = " (found there when the levels were defined)" if facts.get("backfill") else ""
    before, now = facts.get("from") or "below all levels", facts.get("to") or "below all levels"
    return f"went from {before} to {now} in {facts['engagement']}{found}"


def _stage(facts: Properties) -> str:
    found = " (found there when the stages were defined)" if facts.get("backfill") else ""
    return f"went from {facts['from']} to {facts['to']} in their decision to buy{found}"


def _conflict(facts: Properties) -> str:
    kept, dropped = facts["kept"], facts["dropped"]
    return f"had two arms in {facts['campaign']} under two ids: {kept}, the earlier, counts, not {dropped}"


def _requested(facts: Properties) -> str:
    return f"asked to get {facts.get('topic')}"


def _confirmed(facts: Properties) -> str:
    return f"confirmed wanting {facts.get('topic')}"


def _unsubscribed(facts: Properties) -> str:
    return f"unsubscribed from {facts.get('topic') or 'everything'}"


def _suppressed(facts: Properties) -> str:
    topic = f" about {facts['topic']}" if facts.get("topic") else ""
    return f"{facts['address']} is not written to{topic} any more: {WHY.get(facts['why'], facts['why'])}"


def _released(facts: Properties) -> str:
    topic = f" about {facts['topic']}" if facts.get("topic") else ""
    return f"{facts['address']} may be written to{topic} again"


def _group(facts: Properties) -> str:
    traits = ", ".join(f"{name} {shown(name, said[0])}" for name, said in facts["traits"].items())
    return f"belongs to {facts['type']} {facts['id']}" + (f": {traits}" if traits else "")


def _addressed(facts: Properties) -> str:
    return f"had {facts['template']} meant for its {facts['to']}, each of whom their own rules are asked"


def _meant(facts: Properties) -> str:
    return f"belongs to {facts['type']} {facts['id']}, for whose {facts['to']} {facts['template']} was meant"


SENTENCES: Mapping[str, Callable[[Properties], str]] = {
    FactName.CAMPAIGN_ENTERED: _entered,
    FactName.PROGRAMME_ENTERED: _programme,
    FactName.NOT_ELIGIBLE: _not_eligible,
    FactName.CAMPAIGN_EXITED: _exited,
    FactName.GOAL_REACHED: _goal,
    FactName.MESSAGE_WANTED: _wanted,
    FactName.MESSAGE_DEFERRED: _deferred,
    FactName.MESSAGE_SENDING: _sending,
    FactName.MESSAGE_WITHHELD: _withheld,
    FactName.MESSAGE_SENT: _sent,
    FactName.MESSAGE_FAILED: _failed,
    FactName.MESSAGE_UNKNOWN: _unknown,
    FactName.MESSAGE_DELIVERED: _delivered,
    FactName.MESSAGE_BOUNCED: _bounced,
    FactName.MESSAGE_COMPLAINED: _complained,
    ResponseName.REPLIED: _replied,
    FactName.SEGMENT_ENTERED: _segment_entered,
    FactName.SEGMENT_LEFT: _segment_left,
    FactName.LEVEL_CHANGED: _level,
    FactName.STAGE_CHANGED: _stage,
    FactName.ARM_CONFLICT: _conflict,
    FactName.CAMPAIGN_RESTARTED: _restarted,
    FactName.CAMPAIGN_MIGRATED: _migrated,
    FactName.CAMPAIGN_PAUSED: _stands,
    FactName.CAMPAIGN_RESUMED: _resumed,
    FactName.SPLIT_ENTERED: _split,
    FactName.TRAITS_UPDATED: _updated,
    FactName.ADDRESS_SUPPRESSED: _suppressed,
    FactName.ADDRESS_RELEASED: _released,
    FactName.MEMBERS_ADDRESSED: _addressed,
    GROUP_MESSAGE: _meant,
    GROUP_TRAITS: _group,
    CAMPAIGN_TRIGGERED: _called,
    ConsentName.REQUESTED: _requested,
    ConsentName.CONFIRMED: _confirmed,
    ConsentName.UNSUBSCRIBED: _unsubscribed,
}
"""From an event's name to the sentence its properties make; every fact has one."""

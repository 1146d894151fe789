"""From those who stopped in a funnel, or from a moment after which people stay, to the draft of a campaign:
plain documents."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hark.definitions.lines import line_of
from hark.learn.signals.moments import Moment
from hark.model import JSON

LONGEST = 48
"""Letters of a made-up name."""
WITHIN = "14d"
"""For the goal, where the funnel has no window."""
STAYS = "56d"
"""For the goal of who is led to a moment: who comes back is counted by then."""


def snake(text: str) -> str:
    """A name in snake_case out of any words."""
    found = re.sub("[^a-z0-9]+", "_", text.lower()).strip("_")[:LONGEST].rstrip("_")
    return found if found[:1].isalpha() else f"s_{found}".rstrip("_")


def free(name: str, taken: Collection[str]) -> str:
    """The name, or with the next number after it if it is taken."""
    tried = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in tried if one not in taken)


def words(step: JSON) -> str:
    """A step's event names, for a name and for a sentence."""
    return line_of(step).partition(" where ")[0].replace("|", " or ")


def belief(here: JSON, following: JSON) -> str:
    """A hypothesis to go on from; its reason is the author's."""
    return f"Customers who did {words(here)} and stopped go on to {words(following)}, because ..."


def segment(name: str, where: JSON, group: str = "") -> JSON:
    """The document; with `group` of groups of this type."""
    subject = {"subject": {"group": group}} if group else {}
    return {"segment": name, **subject, "where": where}


def campaign(
    name: str, segment_name: str, hypothesis: str, following: JSON, within: str, topic: str
) -> list[JSON]:
    """A template and a paused campaign: whoever enters the segment is asked to take the next step.

    Its author has to say why that should help and what the message says; until then it is paused.
    """
    event = {"event": following} if isinstance(following, str) else following
    if isinstance(following, str) and "|" in following:
        event = {"any_of": [one.strip() for one in following.split("|")]}
    return [
        {
            "template": name,
            "channel": "email",
            "subject": f"About {words(following)}",
            "text": f"Hello {{{{ customer.first_name | default: 'there' }}}},\n\n(Say here what helps with"
            f" {words(following)}.)\n",
        },
        {
            "campaign": name,
            "hypothesis": hypothesis,
            "paused": "yes",
            "trigger": {"enters": segment_name},
            "goal": {**event, "within": within or WITHIN},
            "control": "auto",
            "topic": topic,
            "exit": ["goal"],
            "steps": [{"send": {"channel": "email", "template": name}}],
        },
    ]


def topic(names: Sequence[str]) -> tuple[str, list[JSON]]:
    """The first topic there is; where there is none, a document that makes one."""
    if names:
        return names[0], []
    return "news", [{"topic": "news", "says": "What may interest you"}]


def payoff(name: str, moment: Moment, begins: str, topic_name: str) -> list[JSON]:
    """A hypothesis and the paused campaign that tests it: who is led to the moment stays more often.

    Its author has to say why, and what the message says; the goal's window is long enough to see who stays.
    """
    event, signal = moment.signal.event, moment.signal
    seen = f"{signal.precision or 0:.0%} of those who did it in their first weeks stayed"
    if signal.adds:
        seen += f": {100 * signal.adds.estimate:+.1f} points beside others as active"
    belief = f"Who is led to {event} soon after {begins} stays more often, because ..."
    template, drafted = campaign(name, "", belief, event, STAYS, topic_name)
    wait = {"wait": {"until": {"event": event}, "for": "2d"}}
    return [
        {"hypothesis": name, "seen": f"{moment.says}: {seen}.", "belief": belief, "tests": [name]},
        template,
        {**drafted, "trigger": {"event": begins}, "steps": [wait, *drafted["steps"]]},
    ]

"""The reducer of traits: the latest value by (at, seq) stands."""

from __future__ import annotations

from hark.decide.watch import GROUP_CALL, IDENTIFY, STATING, Watch
from hark.decide.work import Work
from hark.model import JSON, Event, Trait
from hark.understand.conditions import stated


def profile(work: Work, event: Event, _watch: Watch) -> None:
    """Keeps what the event states of traits, and notes whether any value changed."""
    if event.name in (IDENTIFY, GROUP_CALL) or STATING in event.context:
        traits = work.record.traits
        for name, value in stated(event).items():
            if keep(traits, name, Trait(value, event.at, event.seq)):
                work.traits_changed = True


def keep(traits: dict[str, Trait], name: str, new: Trait) -> bool:
    """Whether the trait's value changed by the new statement, which may be an older one."""
    old = traits.get(name)
    if old is not None and (new.at, new.seq) < (old.at, old.seq):
        return False
    traits[name] = new
    return old is None or old.value != new.value


def text(traits: dict[str, Trait], name: str) -> str:
    """The trait if it is a text, else ""."""
    trait = traits.get(name)
    value: JSON = trait.value if trait else None
    return value if isinstance(value, str) else ""

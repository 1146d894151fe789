"""What a browser posts of a form, written into the document."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import NamedTuple

from hark.console.forms.blocks import Making, flat
from hark.console.forms.conditions import KINDS
from hark.console.forms.pointers import Body, appended, found, moved, path_of, pointer, put, take, under
from hark.console.forms.steps import STEPS
from hark.model import JSON

MOST = 60
"""Blocks in one list of a form."""
NEW: Mapping[str, JSON] = {
    "condition": {"did": KINDS["did"].start},
    "then": {"event": "Order Completed"},
    "never": {"not": "Order Cancelled"},
    "way": {"when": {"trait": {"plan": "pro"}}, "steps": []},
    "otherwise": {"otherwise": []},
    "also": {"event": "Order Completed", "within": "14d"},
    "drawn": {"steps": []},
    "variant": {"steps": []},
    **{kind: {kind: shape.start} for kind, shape in STEPS.items()},
}
"""What a button adds, by its name."""


WEIGHTS = "/allocation/weights"
OPTIONAL = ("/also",)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Edited(NamedTuple):
    """The document after a post."""

    body: Body
    clash: bool
    """Whether a list was changed by the form and in the YAML, where that of the YAML stays."""
    focus: str = ""
    """What was added or moved."""


def edited(body: Body, base: Body, shown: Making, given: Mapping[str, str], do: str) -> Edited:
    """`body` with what the posted fields changed of `base`, of which the form `shown` was made, and what the
    pressed button does."""
    before = shown_of(shown)
    texts = {name: clean(given.get(name, value)) for name, value in before.items()}
    changed = {name for name, text in texts.items() if text != before[name]}
    touched = [one for one in shown.bound if not changed.isdisjoint(one.names)]
    apart = any(_apart(one.at, body, base) for one in touched)
    made = deepcopy(body)
    mine = [one for one in touched if not _apart(one.at, body, base)]
    for one in (one for one in mine if not one.piece.late):
        one.piece.put(made, one.at, {name: texts[name] for name in one.names})
    focus = _pressed(made, body, base, *_button(do))
    for one in sorted((one for one in mine if one.piece.late), key=lambda one: -one.at.count("/")):
        one.piece.put(made, one.at, texts)
    return Edited(made, apart or focus is None, focus or "")


def shown_of(shown: Making) -> dict[str, str]:
    """What each field says, by its name."""
    return {one.name: one.value for bound in shown.bound for one in flat(bound.widgets)}


def clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _apart(at: str, body: Body, base: Body) -> bool:
    """Whether the place is within a list that is not as it was when the form was made of it."""
    path = path_of(at)
    first = next((end for end, key in enumerate(path) if key.isdecimal()), 0)
    inside = pointer(path[:first])
    return bool(inside) and found(body, inside) != found(base, inside)


def _button(do: str) -> tuple[str, str, str]:
    """(what, of which kind, where) of a button that changes lists: "add:send:/steps", "up::/steps/1"."""
    what, kind, at = (*do.split(":", 2), "", "")[:3]
    return what, kind, at


def _pressed(made: Body, body: Body, base: Body, what: str, kind: str, at: str) -> str | None:
    """Where what was added or moved stands then; None where the YAML changed, and nothing was done."""
    if _apart(at, body, base):
        return None
    if what == "add":
        return _added(made, kind, at)
    if what == "remove":
        return _removed(made, at)
    if what not in ("up", "down"):
        return ""
    return moved(made, at, -1 if what == "up" else 1)


def _added(made: Body, kind: str, at: str) -> str:
    if kind == "variants":
        return _varied(made)
    here = found(made, at)
    if kind not in NEW or len(here or ()) >= MOST:
        return at
    new = deepcopy(NEW[kind])
    if kind in ("drawn", "variant"):
        return _named(made, at, new)
    if isinstance(here, dict):
        put(made, at, {"steps": [here]})
        at = under(at, "steps")
    if (
        kind == "way"
        and isinstance(here, list)
        and here
        and isinstance(here[-1], dict)
        and "otherwise" in here[-1]
    ):
        here.insert(-1, new)
        return under(at, len(here) - 2)
    return appended(made, at, new)


def _named(made: Body, at: str, new: JSON) -> str:
    """One more in a mapping, under the first letter that is free."""
    here = found(made, at)
    name = next(letter for letter in LETTERS if not isinstance(here, dict) or letter not in here)
    put(made, under(at, name), new)
    if at == "/variants" and isinstance(found(made, WEIGHTS), dict):
        put(made, under(WEIGHTS, name), 1)
    return under(at, name)


def _varied(made: Body) -> str:
    """Variants in place of the steps: those, and another that begins as a copy."""
    steps = made.get("steps", [])
    place = list(made).index("steps") if "steps" in made else len(made)
    items = [(key, value) for key, value in made.items() if key != "steps"]
    both = {"treatment": {"steps": steps}, "another": {"steps": deepcopy(steps)}}
    made.clear()
    made.update([*items[:place], ("variants", both), *items[place:]])
    return "/variants/another"


def _removed(made: Body, at: str) -> str:
    """It is gone; a list that is not needed goes with its last."""
    take(made, at)
    inside, _, name = at.rpartition("/")
    if inside in OPTIONAL and not found(made, inside):
        take(made, inside)
    if inside == "/variants":
        take(made, under(WEIGHTS, path_of("/" + name)[0]))
    return inside

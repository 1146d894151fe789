"""A campaign's document as the fields of a form, and what a form's changes make of the document.

The document is the truth: a field that was not touched changes nothing, and what no field shows stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from msgspec import Struct

from hark.definitions import yaml
from hark.definitions.lines import flow
from hark.definitions.problems import Problem, Problems
from hark.definitions.yaml import Node
from hark.model import JSON

Body = dict[str, Any]
Path = tuple[str | int, ...]


class Entry(NamedTuple):
    """One field: the path of what it shows, and whether that is read as YAML or is a text as it stands."""

    path: tuple[str, ...]
    as_yaml: bool = False


TRIGGERS: dict[str, dict[str, Entry]] = {
    "event": {"event": Entry(("trigger", "event")), "where": Entry(("trigger", "where"), True)},
    "enters": {"enters": Entry(("trigger", "enters"))},
    "date": {
        "trait": Entry(("trigger", "date", "trait")),
        "offset": Entry(("trigger", "date", "offset")),
        "time": Entry(("trigger", "date", "at")),
    },
    "schedule": {"cron": Entry(("trigger", "schedule", "cron"))},
    "broadcast": {"at": Entry(("trigger", "broadcast", "at"))},
    "api": {},
}
PLAIN: dict[str, Entry] = {
    "name": Entry(("campaign",)),
    "hypothesis": Entry(("hypothesis",)),
    "expects": Entry(("expects",), True),
    "key": Entry(("key",)),
    "topic": Entry(("topic",)),
    "goal_event": Entry(("goal", "event")),
    "goal_within": Entry(("goal", "within")),
    "goal_value": Entry(("goal", "value")),
    "control": Entry(("control",), True),
    "why": Entry(("why",)),
}
FIELDS = PLAIN | {name: one for kind in TRIGGERS.values() for name, one in kind.items()}
AUDIENCE = ("who", "in_segment", "condition")
STEPS = {"send": ("channel", "template"), "wait": ("for",)}
ORDER = (
    "campaign", "intent", "hypothesis", "expects", "trigger", "key", "audience", "goal", "also", "guardrails",
    "control", "why", "topic", "paused", "steps",
)  # fmt: skip
"""Where a key is put that was not there."""
YAML_ONLY = "yaml"
"""The kind of a trigger or step that only the YAML can show."""
MOST = 60
"""Steps of one form."""


class Step(Struct, frozen=True):
    """One step as the form has it."""

    kind: str
    was: int | None = None
    """Its place in the document that the form was made of; None: it is new."""
    said: dict[str, str] = {}
    also: str = ""
    """What it has that the form does not show, as YAML."""


class Form(Struct, frozen=True):
    """All fields; `steps` is None where the document's steps are not a plain list."""

    values: dict[str, str]
    steps: tuple[Step, ...] | None


def form_of(body: Body) -> Form:
    """What the form shows of a document."""
    values = {name: _said(_at(body, one.path)) for name, one in FIELDS.items()}
    values |= {"trigger": trigger_of(body)} | dict(zip(AUDIENCE, _audience(body), strict=True))
    steps = body.get("steps", [])
    plain = isinstance(steps, list) and "variants" not in body
    return Form(values, tuple(_step(one, at) for at, one in enumerate(steps)) if plain else None)


def trigger_of(body: Body) -> str:
    """The kind of trigger that the form shows: event where there is none yet."""
    trigger = body.get("trigger") or {"event": ""}
    if not isinstance(trigger, dict):
        return YAML_ONLY
    return next((kind for kind in TRIGGERS if kind in trigger), YAML_ONLY)


def _at(body: JSON, path: tuple[str, ...]) -> JSON:
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _said(value: JSON) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else flow(value)


def _audience(body: Body) -> tuple[str, str, str]:
    found = body.get("audience")
    if found is None:
        return "", "", ""
    if isinstance(found, dict) and set(found) == {"in_segment"} and isinstance(found["in_segment"], str):
        return "segment", found["in_segment"], ""
    return "condition", "", _said(found)


def _step(step: JSON, place: int) -> Step:
    kind = next(
        (kind for kind in STEPS if isinstance(step, dict) and _plain(step.get(kind), kind)), YAML_ONLY
    )
    if kind == YAML_ONLY:
        return Step(kind, place, {}, _said(step))
    more = {key: value for key, value in step.items() if key != kind}
    more |= {key: value for key, value in step[kind].items() if key not in STEPS[kind]}
    said = {key: _said(step[kind].get(key)) for key in STEPS[kind]}
    return Step(kind, place, said, flow(more) if more else "")


def _plain(inner: JSON, kind: str) -> bool:
    """A way of sending by one channel; a wait for a time and nothing else."""
    if not isinstance(inner, dict) or any(not isinstance(inner.get(key, ""), str) for key in STEPS[kind]):
        return False
    return "channels" not in inner if kind == "send" else set(inner) <= {"for"}


def posted(given: Mapping[str, str], shown: Form) -> Form:
    """The form as a browser sends it; a field that it did not send is as it was shown."""
    values = {name: _clean(given.get(name, value)) for name, value in shown.values.items()}
    if shown.steps is None or "steps" not in given:
        return Form(values, shown.steps)
    numbers = sorted(int(key[1:-5]) for key in given if key.endswith("-kind") and key[1:-5].isdecimal())
    return Form(values, tuple(_posted_step(given, f"s{number}-", shown.steps) for number in numbers[:MOST]))


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _posted_step(given: Mapping[str, str], at: str, shown: tuple[Step, ...]) -> Step:
    was = given.get(f"{at}was", "")
    known = shown[int(was)] if was.isdecimal() and int(was) < len(shown) else None
    kind = known.kind if known else given.get(f"{at}kind", "send")
    said = {key: _clean(given.get(f"{at}{key}", "")) for key in STEPS.get(kind, ())}
    return Step(kind, known.was if known else None, said, known.also if known else "")


def moved(form: Form, do: str, about: str) -> Form:
    """The form after one button: a step more, one less, or one elsewhere."""
    steps = list(form.steps or ())
    if do == "add" and about in STEPS and len(steps) < MOST and form.steps is not None:
        steps.append(
            Step(about, None, {"channel": "email", "template": ""} if about == "send" else {"for": "1d"})
        )
    elif about.isdecimal() and int(about) < len(steps):
        place = int(about)
        if do == "remove":
            del steps[place]
        elif do in ("up", "down"):
            other = min(max(place + (1 if do == "down" else -1), 0), len(steps) - 1)
            steps[place], steps[other] = steps[other], steps[place]
    return Form(form.values, None if form.steps is None else tuple(steps))


def changed(body: Body, base: Body, wanted: Form) -> tuple[Body, bool]:
    """The document with what the form changed of `base`, from which it was made; whether steps
    changed in both, where those of the document stay."""
    shown, found = form_of(base), deepcopy(body)
    values = {name: value for name, value in wanted.values.items() if value != shown.values[name]}
    for name, one in PLAIN.items():
        if name in values:
            _put(found, one, values[name])
    _put_trigger(found, wanted.values, values)
    if any(name in values for name in AUDIENCE):
        _put_audience(found, wanted.values)
    if wanted.steps is None or wanted.steps == shown.steps:
        return found, False
    if body.get("steps") != base.get("steps") or "variants" in body:
        return found, True
    _set(found, "steps", [_written(one, base.get("steps", [])) for one in wanted.steps])
    return found, False


def _put_trigger(body: Body, wanted: Mapping[str, str], values: Mapping[str, str]) -> None:
    kind = wanted["trigger"]
    if kind not in TRIGGERS:
        return
    if "trigger" in values:
        _set(
            body,
            "trigger",
            {"api": True} if kind == "api" else {kind: "" if kind in ("event", "enters") else {}},
        )
    for name, one in TRIGGERS[kind].items():
        if name in values or ("trigger" in values and wanted[name]):
            _put(body, one, wanted[name])


def _put_audience(body: Body, wanted: Mapping[str, str]) -> None:
    how = wanted["who"]
    if how == "segment" and wanted["in_segment"]:
        _set(body, "audience", {"in_segment": wanted["in_segment"]})
    elif how == "condition" and wanted["condition"]:
        _set(body, "audience", _read(wanted["condition"]))
    else:
        body.pop("audience", None)


def _written(step: Step, base: list[JSON]) -> JSON:
    """The step as YAML has it: what the form does not show stays."""
    if step.was is None:
        return {step.kind: dict(step.said)}
    found = deepcopy(base[step.was])
    if step.kind != YAML_ONLY and _step(found, step.was).said != step.said:
        found[step.kind] |= step.said
    return found


def _put(body: Body, one: Entry, text: str) -> None:
    """Set what stands under the path, or take it away; a parent that is no mapping stays as it is written."""
    *parents, last = one.path
    inner: Any = body
    for key in parents:
        if inner.get(key) is None:
            _set(inner, key, {})
        inner = inner[key]
        if not isinstance(inner, dict):
            return
    if text:
        _set(inner, last, _read(text) if one.as_yaml else text)
    elif parents:
        inner[last] = ""
        _prune(inner, last)
    else:
        inner.pop(last, None)


def _prune(inner: Body, last: str) -> None:
    """A key that alone stood for what it belongs to stays, empty, so that the problem is found at it."""
    if len(inner) > 1:
        del inner[last]


def _set(body: Body, key: str, value: JSON) -> None:
    """At its usual place where the key is new."""
    if key in body or key not in ORDER:
        body[key] = value
        return
    before = ORDER[: ORDER.index(key)]
    place = max((at + 1 for at, known in enumerate(body) if known in before), default=0)
    items = list(body.items())
    body.clear()
    body.update([*items[:place], (key, value), *items[place:]])


def _read(text: str) -> JSON:
    """YAML; what cannot be read stays a text, which the parser refuses at its place."""
    problems = Problems("")
    nodes = yaml.read(text, problems)
    return text if problems.found or len(nodes) != 1 else yaml.plain(nodes[0])


def unshown(body: Body) -> tuple[str, ...]:
    """What the document says and no field shows: keys, with their parents."""
    kind = trigger_of(body)
    shown = {one.path for one in (PLAIN | TRIGGERS.get(kind, {})).values()} | {
        ("audience",),
        ("trigger", "api"),
    }
    shown |= {("steps",)} if form_of(body).steps is not None else set()
    return tuple(".".join(path) for path in _paths(body, shown))


def _paths(value: JSON, shown: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items():
        here = (*path, key)
        if here in shown:
            continue
        if isinstance(inner, dict) and any(one[: len(here)] == here for one in shown):
            yield from _paths(inner, shown, here)
        else:
            yield here


def places(problems: tuple[Problem, ...], text: str) -> dict[str, list[str]]:
    """What is wrong by the place of the form that shows it: a field's name, audience, trigger, sN or sN-KEY;
    "top" for what belongs to none. In `text` every value has a line of its own, as `yaml.write` has it."""
    (node,) = yaml.read(text, Problems(""))
    lines = list(_lines(node, ()))
    found: dict[str, list[str]] = {}
    for one in problems:
        path = max((at for at in enumerate(lines) if at[1][0] <= one.line), key=lambda at: (at[1][0], at[0]))[
            1
        ][1]
        found.setdefault(_place(path), []).append(f"{one.message} ({one.hint})" if one.hint else one.message)
    return found


def _lines(node: Node, path: Path) -> Iterator[tuple[int, Path]]:
    yield node.line, path
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _lines(child, (*path, key))
    elif isinstance(node.value, list):
        for place, item in enumerate(node.value):
            yield from _lines(item, (*path, place))


def _place(path: Path) -> str:
    if path[:1] == ("steps",) and len(path) > 1:
        known = len(path) > 3 and path[3] in STEPS.get(str(path[2]), ())
        return f"s{path[1]}-{path[3]}" if known else f"s{path[1]}"
    exact = next((name for name, one in FIELDS.items() if path[: len(one.path)] == one.path), "")
    if exact and exact != "name":
        return exact
    return str(path[0]) if path and path[0] in ("trigger", "audience", "goal", "steps") else "top"

"""A question in an address, in a form and in a document is the same: each key of the language is a parameter.

`/funnel?steps=A%0AB&within=7d` asks `{funnel: {steps: [A, B], within: 7d}}`; what is left out is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from msgspec import Struct

from hark.definitions.lines import line_of, step_of
from hark.errors import HarkError
from hark.model import JSON


class Field(NamedTuple):
    """One parameter: the document's key, how its text is read, and how the value is written."""

    key: str
    read: Callable[[str], JSON]
    write: Callable[[JSON], str]


def _lines(text: str) -> JSON:
    return [step_of(line.strip()) for line in text.splitlines() if line.strip()]


def _number(text: str) -> JSON:
    """A number; anything else stays text, for the language to refuse."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _split(value: JSON) -> str:
    """What splits an answer, as it is typed: "plan", "trait:plan", "segment:regulars"."""
    if isinstance(value, str):
        return value
    ((kind, name),) = value.items()
    return name if kind == "property" else f"{kind}:{name}"


def text(key: str) -> Field:
    return Field(key, str, str)


def step(key: str) -> Field:
    return Field(key, step_of, line_of)


def number(key: str) -> Field:
    return Field(key, _number, str)


def flag(key: str, means: bool = True) -> Field:
    """A box to tick: ticked it says `means`, which is not the default."""
    return Field(key, lambda _: means, lambda value: "yes" if value is means else "")


STEPS = Field("steps", _lines, lambda steps: "\n".join(map(line_of, steps)))
BY = Field("by", str, _split)
SUBJECT = Field(
    "subject",
    lambda text: text if text == "customer" else {"group": text},
    lambda value: value if isinstance(value, str) else value["group"],
)
RANGE = {"since": text("since"), "until": text("until"), "among": text("among"), "subject": SUBJECT}
FIELDS: Mapping[str, Mapping[str, Field]] = {
    "funnel": {
        "steps": STEPS,
        "within": text("within"),
        "order": text("order"),
        "by": BY,
        "trend": text("trend"),
        **RANGE,
    },
    "retention": {
        "start": step("start"),
        "return": step("return"),
        "period": text("period"),
        "cohorts": text("cohorts"),
        "on_or_after": flag("on_or_after"),
        "by": BY,
        **RANGE,
    },
    "paths": {
        "from": step("from"),
        "to": step("to"),
        "depth": number("depth"),
        "top": number("top"),
        "rare": number("rare"),
        "gap": text("gap"),
        "repeats": flag("collapse", means=False),
        "facts": flag("facts"),
        **RANGE,
    },
    "lifecycle": {"period": text("period"), **RANGE},
    "trend": {
        "event": step("event"),
        "period": text("period"),
        "of": text("of"),
        "by": BY,
        "compare": flag("compare"),
        **RANGE,
    },
    "sessions": {"gap": text("gap"), "period": text("period"), **RANGE},
}
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "funnel": {"order": "ordered"},
    "retention": {"period": "week", "cohorts": "first"},
    "paths": {"depth": "3", "gap": "30m"},
    "lifecycle": {"period": "week"},
    "trend": {"period": "day"},
    "sessions": {"gap": "30m", "period": "week"},
}
ALWAYS: Mapping[str, Mapping[str, JSON]] = {"funnel": {"instead": True}, "retention": {"returned_to": True}}
"""What the pages always show too."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "funnel": ("steps",),
    "retention": ("start",),
    "paths": ("from", "to"),
}
"""Without any of these nothing was asked yet; kinds that are not here ask without a word."""


class Saved(Struct, frozen=True):
    """The document an answer belongs to."""

    name: str
    says: str
    version: int
    versions: tuple[int, ...]


class Ask(Struct, frozen=True):
    """What a page was asked."""

    kind: str
    typed: dict[str, str]
    """By parameter, as the form shows it; defaults are filled in."""
    body: dict[str, JSON] | None
    """The question in the language of documents; None: nothing was asked yet, or it cannot be read."""
    problem: str = ""
    saved: Saved | None = None
    held: bool = False
    """The form is shown, and the question not asked."""

    @property
    def query(self) -> str:
        """The parameters of the page's address."""
        return query(self.kind, self.typed)

    @property
    def address(self) -> str:
        return address(self.kind, self.typed)

    @property
    def form_address(self) -> str:
        """The page with its form filled in, and nothing asked."""
        return f"/{self.kind}?{self.query}&ask=no"


def read(kind: str, given: Mapping[str, str]) -> Ask:
    """The question that an address asks."""
    typed = {name: given.get(name, "").strip() for name in FIELDS[kind]}
    shown = typed | {name: typed[name] or text for name, text in DEFAULTS[kind].items()}
    if kind in NEEDS and not any(typed[name] for name in NEEDS[kind]):
        return Ask(kind, shown, None)
    try:
        return Ask(kind, shown, body(kind, typed), held=given.get("ask") == "no")
    except HarkError as error:
        return Ask(kind, shown, None, f"{error.message}. {error.hint}".strip())


def body(kind: str, typed: Mapping[str, str]) -> dict[str, JSON]:
    """What the texts ask, without what is the default anyway. Raises HarkError `question.step`."""
    said = {name: text for name, text in typed.items() if text and text != DEFAULTS[kind].get(name)}
    found = {FIELDS[kind][name].key: FIELDS[kind][name].read(text) for name, text in said.items()}
    return {**found, **ALWAYS.get(kind, {})}


def written(kind: str, question: Mapping[str, JSON], saved: Saved | None = None) -> Ask:
    """A document's question as the page shows it."""
    known = {name: one for name, one in FIELDS[kind].items() if one.key in question}
    typed = {name: one.write(question[one.key]) for name, one in known.items()}
    blank = dict.fromkeys(FIELDS[kind], "")
    return Ask(kind, {**blank, **DEFAULTS[kind], **typed}, {**question, **ALWAYS.get(kind, {})}, saved=saved)


def query(kind: str, typed: Mapping[str, str]) -> str:
    """The parameters that ask this, in the form's order; defaults are left out."""
    said = [(name, typed.get(name, "")) for name in FIELDS[kind]]
    return urlencode([(name, text) for name, text in said if text and text != DEFAULTS[kind].get(name)])


def address(kind: str, typed: Mapping[str, str]) -> str:
    """The page that asks this."""
    asked = query(kind, typed)
    return f"/{kind}?{asked}" if asked else f"/{kind}"

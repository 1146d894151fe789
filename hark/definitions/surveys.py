"""How `survey` documents are written."""

from __future__ import annotations

from hark.definitions.by_name import ByName
from hark.definitions.languages import IN_LANGUAGES
from hark.definitions.shapes import NAME, Choice, Invalid, Reading, Record, Shape, Truth, Values
from hark.definitions.survey import SCORES, Survey
from hark.definitions.yaml import Node

FEWEST_CHOICES, MOST_CHOICES = 2, 10
KEYS = {"choices": ("poll",), "low": tuple(SCORES), "high": tuple(SCORES), "comment": (*SCORES, "poll")}
"""By key, the kinds of survey that may have it."""


def _survey(values: Values, node: Node, reading: Reading) -> Survey | Invalid:
    assert isinstance(node.value, dict)
    kind, choices = values["kind"], values.get("choices", {})
    if kind == "poll" and not FEWEST_CHOICES <= len(choices) <= MOST_CHOICES:
        hint = "choices: {cheap: It is cheap, ...}"
        return reading.refuse(node, f"a poll has {FEWEST_CHOICES} to {MOST_CHOICES} choices", hint)
    for key, kinds in KEYS.items():
        if key in values and kind not in kinds:
            return reading.refuse(node.value[key], f'"{key}" is no key of a survey of kind {kind}')
    return Survey(
        values["survey"], kind, values["asks"], choices, values.get("low", {}), values.get("high", {}),
        values.get("comment", True),
    )  # fmt: skip


SURVEY: Shape[Survey] = Record(
    "survey",
    {
        "survey": NAME,
        "kind": Choice(("nps", "satisfaction", "poll", "text")),
        "asks": IN_LANGUAGES,
        "choices": ByName(IN_LANGUAGES, "choices"),
        "low": IN_LANGUAGES,
        "high": IN_LANGUAGES,
        "comment": Truth(),
    },
    _survey,
    required=("survey", "kind", "asks"),
)

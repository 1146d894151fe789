"""JMESPath over a webhook's request: what may stand in an expression, and how it is evaluated.

An expression sees an object with `body` (the payload), `header` (names in small letters, with _ for -) and
`query` (of the address); within `each` also `item`. JMESPath has no loops and no way back to the root from
within a list, so that its cost is bounded by the length of the expression times the size of the payload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from hark.definitions.problems import nearest
from hark.model import JSON

Tree: TypeAlias = Mapping[str, Any]

ROOTS = ("body", "header", "query", "item")
LONGEST = 1_000

# Amounts of these currencies have no smaller unit: docs.stripe.com/currencies#zero-decimal
_CURRENCIES = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
_WHOLE = frozenset(_CURRENCIES.split(" "))
_SAME_SCOPE = {
    "comparator", "or_expression", "and_expression", "not_expression", "function_expression",
    "multi_select_list", "multi_select_dict", "key_val_pair",
}  # fmt: skip


class Functions(functions.Functions):
    """JMESPath's own functions and, by the names of the JMESPath Community, three more; two of our own."""

    @functions.signature({"types": ["string"]})
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @functions.signature({"types": ["string", "null"]})
    def _func_word(self, text: str | None) -> str:
        """A text in small letters without what is no letter or digit: " Stop. " is "stop"."""
        return "".join(one for one in (text or "").lower() if one.isalnum())

    @functions.signature({"types": ["string"]}, {"types": ["string"]})
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator) if separator else list(text)

    @functions.signature({"types": ["array"]})
    def _func_from_items(self, pairs: list[JSON]) -> dict[str, JSON]:
        """An object of [key, value] pairs; the last of a key counts."""
        return {str(pair[0]): pair[1] for pair in pairs if isinstance(pair, list) and len(pair) == 2}

    @functions.signature({"types": ["string"]}, {"types": []})
    def _func_prefixed(self, prefix: str, value: JSON) -> str | None:
        """`prefixed('shop', 7)` is "shop:7": an id that can't be taken for another's; nothing of nothing."""
        return None if value in (None, "") else f"{prefix}:{value}"

    @functions.signature({"types": ["number"]}, {"types": ["string"]})
    def _func_minor_units(self, amount: float, currency: str) -> float:
        """An amount in a currency's smallest unit as one in the currency itself: 2050 usd is 20.5."""
        return float(Decimal(str(amount)) / (1 if currency.upper() in _WHOLE else 100))


_OPTIONS = jmespath.Options(custom_functions=Functions())


def problem(text: str) -> tuple[str, str] | None:
    """What is wrong with an expression and a hint; None: nothing that can be seen without a payload."""
    if len(text) > LONGEST:
        return f"an expression of {len(text)} characters", f"at most {LONGEST}"
    try:
        tree = jmespath.compile(text).parsed
    except JMESPathError as error:
        return f'expected a JMESPath expression, found "{text}"', str(error).partition("\n")[0].rstrip(":")
    if _looks_up_in_not(tree):
        return f'"!" binds to the first name alone in "{text}"', "write !(body.a.b)"
    known = Functions.FUNCTION_TABLE
    for name in _functions(tree):
        if name not in known:
            return f'unknown function "{name}" in "{text}"', nearest(name, known)
    for name in _roots(tree):
        if name not in ROOTS:
            return f'unknown name "{name}" in "{text}"', f'did you mean "body.{name}"? There are: {_LISTED}'
    return None


_LISTED = ", ".join(ROOTS)


@lru_cache(maxsize=4096)
def compiled(text: str) -> Any:
    return jmespath.compile(text)


def evaluate(text: str, document: JSON) -> JSON:
    """The value of an expression; None where it finds nothing or cannot be applied to this payload."""
    try:
        return compiled(text).search(document, options=_OPTIONS)
    except (JMESPathError, ArithmeticError, RecursionError, TypeError, ValueError):
        return None


def _looks_up_in_not(tree: Tree) -> bool:
    """`!body.a` is `(!body).a` to JMESPath, which is never what was meant."""
    children = tree.get("children", ())
    steps = ("subexpression", "index_expression", "projection", "filter_projection")
    if tree["type"] in steps and children[0]["type"] == "not_expression":
        return True
    return any(map(_looks_up_in_not, children))


def _functions(tree: Tree) -> Iterator[str]:
    if tree["type"] == "function_expression":
        yield tree["value"]
    for child in tree.get("children", ()):
        yield from _functions(child)


def _roots(tree: Tree) -> Iterator[str]:
    """The names that an expression looks up in the whole document."""
    children = tree.get("children", [])
    if tree["type"] == "field":
        yield tree["value"]
    elif tree["type"] in _SAME_SCOPE:
        for child in children:
            yield from _roots(child)
    elif children and tree["type"] != "expref":
        yield from _roots(children[0])

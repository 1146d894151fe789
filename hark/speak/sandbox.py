"""Liquid on plain data, bounded: what a template may do, and what it must never do silently.

Templates see JSON-like data only (text, numbers, booleans, lists, objects), never a Python object. A
variable that is not there may be tested (`if`), looped over (nothing) and given a `default`; using it
in any other way raises `MissingError`, so that nobody reads "Hello ,".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache, wraps
from io import StringIO
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.output import Output
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import (
    LiquidError,
    LiquidTypeError,
    ResourceLimitError,
    UndefinedError,
    UnknownFilterError,
)
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined, is_undefined

from hark.model import JSON
from hark.speak.quick import Buffer, LoopTag, Scope, Value, joined

OUTPUT_LIMIT = 1_000_000
"""Bytes one rendered part may have."""
LOOP_LIMIT = 10_000
"""Iterations of the loops of one part, nested ones multiplied."""
LOCALS_LIMIT = 1_000_000
STEPS_LIMIT = 10_000
"""What one part may take: a step for each node of the tree that is rendered, and for each kB that a filter
reads. With the other bounds it is under 50 ms of a processor, whatever the template."""
SOURCE_LIMIT = 300_000
"""Characters of a part's source; mail programs cut off what is longer than a third of it."""
FORMAT_LIMIT = 200
SCALARS = (str, int, float)
MULTIPLYING = frozenset({"replace", "join"})
"""Filters whose result can be as long as the product of what they are given."""
SLOWER: Mapping[str, int] = {
    "strip_html": 500, "escapejs": 120, "newline_to_br": 40, "strip_newlines": 40, "squish": 30,
    "url_encode": 30, "escape_once": 20, "escape": 10,
}  # fmt: skip
"""How many times longer than the others a filter takes for a character, measured."""
MEMBER = 500
"""A member of a list takes as long as so many characters."""
BANNED_TAGS = ("include", "render")
BANNED_FILTERS = ("safe",)
"""`safe` would let what a customer typed into a form become markup of our message."""


class Budget:
    """The steps that are left to one part."""

    def __init__(self, left: int = STEPS_LIMIT) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Raises ResourceLimitError once more is spent than there was."""
        self.left -= steps
        if self.left < 0:
            raise ResourceLimitError(f"rendering takes over {STEPS_LIMIT} steps", token=None)


_BUDGET: ContextVar[Budget] = ContextVar("budget")


class _Context(RenderContext):
    """Every node asks which tags are disabled before it renders: the one place which all of them pass."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self._budget = _BUDGET.get()
        super().__init__(*args, **named)
        self.scope = Scope(self.scope)

    def spend(self, steps: int) -> None:
        self._budget.spend(steps)

    @property
    def disabled_tags(self) -> list[str]:
        self._budget.spend(1)
        return []

    @disabled_tags.setter
    def disabled_tags(self, _: list[str]) -> None:
        """No tag is disabled for a part of a template."""


class _Template(BoundTemplate):
    context_class = _Context

    def _get_buffer(self) -> StringIO:
        return Buffer(OUTPUT_LIMIT)


class MissingError(UndefinedError):
    """A variable without a value was used where a text is needed."""


def rendered(source: str, data: Mapping[str, JSON], *, html: bool) -> str:
    """The template `source` filled with `data` (as `present` leaves them); values are HTML-escaped if `html`.

    Raises `MissingError`, `ResourceLimitError` (loops, output, local variables) or another `LiquidError`.
    """
    budget = _BUDGET.set(Budget())
    try:
        return parsed(source, html).render(data)
    except (ValueError, ArithmeticError, RecursionError, AttributeError, LookupError) as error:
        raise LiquidError(f"{type(error).__name__}: {error}", token=None) from error
    finally:
        _BUDGET.reset(budget)


@lru_cache(maxsize=512)
def parsed(source: str, html: bool) -> BoundTemplate:
    """The parse tree of a template. Raises LiquidError, also for a filter that does not exist."""
    environment = _HTML if html else _TEXT
    if len(source) > SOURCE_LIMIT:
        raise ResourceLimitError(f"a template over {SOURCE_LIMIT} characters", token=None)
    template = environment.from_string(source)
    for name in template.analyze(include_partials=False).filters:
        if name not in environment.filters:
            raise UnknownFilterError(f"there is no filter {name!r}", token=None)
    template.nodes[:] = joined(template.nodes)
    return template


def present(data: Mapping[str, JSON]) -> dict[str, JSON]:
    """The data without null and blank texts, which for a reader are the same as absent."""
    return {key: _present(value) for key, value in data.items() if not _absent(value)}


def _present(value: JSON) -> JSON:
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is dict or isinstance(value, Mapping):
        return present(value)
    return [_present(member) for member in value] if kind is list else value


def _absent(value: JSON) -> bool:
    return value is None or (type(value) is str and (not value or value.isspace()))


class _OutputNode(Value):
    """`{{ ... }}`, which refuses to print nothing or an object."""

    def said(self, context: RenderContext) -> str:
        value = self.expression.evaluate(context)
        _refuse_unprintable(value, self.expression)
        return to_liquid_string(value, context.autoescape)


class _EchoNode(_OutputNode, EchoNode):
    """`{% echo ... %}`, under the same rule."""


class _Output(Output):
    node_class = _OutputNode


class _Echo(EchoTag):
    node_class = _EchoNode


def _refuse_unprintable(value: object, expression: Expression) -> None:
    if isinstance(value, SCALARS):
        return
    if value is None or is_undefined(value):
        raise MissingError(_path(value, str(expression)), token=None)
    members = value if isinstance(value, list) else [value]
    if not all(isinstance(member, SCALARS) for member in members) and not isinstance(value, range):
        raise LiquidTypeError(f"{expression} is an object, not a text; name one of its fields", token=None)


def _path(value: object, expression: str) -> str:
    hint = value.hint if isinstance(value, Undefined) else None
    return hint.removesuffix(" is undefined").strip("'") if hint else expression


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing missing values, and inputs that would blow up in memory."""

    @wraps(function)
    def guarded(value: object, *args: object, **named: object) -> Any:
        for given in (value, *args, *named.values()):
            if is_undefined(given):
                raise MissingError(_path(given, name), token=None)
        size = _size(name, (value, *args))
        if size > OUTPUT_LIMIT:
            raise ResourceLimitError(f"{name} would make a text over {OUTPUT_LIMIT} bytes", token=None)
        _BUDGET.get().spend(1 + _read(name, value, size) // 1_000)
        return function(value, *args, **named)

    return guarded


def _read(name: str, value: object, size: int) -> int:
    """What a filter reads, as so many characters of a filter that is quick."""
    if isinstance(value, list | range):
        return max(size, len(value) * MEMBER) * (3 if name in SLOWER else 1)
    return size * SLOWER.get(name, 1)


def _size(name: str, given: tuple[object, ...]) -> int:
    """What a filter may make, or has to compare: each member with each where it is given a list."""
    lengths = [len(part) for part in given if isinstance(part, str | list | range)]
    if name == "uniq":
        return lengths[0] ** 2 if lengths else 0
    by_list = name != "concat" and any(isinstance(part, list | range) for part in given[1:])
    if name not in MULTIPLYING and not by_list:
        return max(lengths, default=0)
    total = 1
    for length in lengths:
        total *= length + 1
    return total


@with_context
def _date(value: object, form: object, *, context: RenderContext) -> object:
    """An ISO 8601 text or a number of seconds since 1970 UTC, written by strftime; else the value itself.

    "now" is the moment given with the data, never the machine's clock.
    """
    if value in ("now", "today"):
        value = context.resolve("now")
    if is_undefined(value):
        raise MissingError("now", token=None)
    try:
        moment = _moment(value)
    except (ValueError, OverflowError, OSError):
        return value
    return moment.strftime(str(form)[:FORMAT_LIMIT]) if moment else value


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return None


class _Environment(Environment):
    template_class = _Template
    loop_iteration_limit = LOOP_LIMIT
    output_stream_limit = OUTPUT_LIMIT
    local_namespace_limit = LOCALS_LIMIT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(_Output)
        self.add_tag(LoopTag)
        self.add_tag(_Echo)
        for name in BANNED_TAGS:
            del self.tags[name]
        for name in BANNED_FILTERS:
            del self.filters[name]
        self.add_filter("date", _date)
        self.filters.update({n: _guarded(n, f) for n, f in self.filters.items() if n != "default"})


# The library's own `now` and `today` read the machine's clock; None makes them missing unless given.
_CLOCKLESS = {"now": None, "today": None}
_TEXT = _Environment(autoescape=False, globals=_CLOCKLESS)
_HTML = _Environment(autoescape=True, globals=_CLOCKLESS)

"""A template's parse tree, made quicker to render: text and values that follow each other become one piece.

Values named by a plain path (`customer.first_name`) are read without the library's detours. Whatever is not
plain goes the library's way, so that there is one meaning; a property test holds the two equal.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any, TextIO

from liquid import Node, RenderContext, escape
from liquid.ast import BlockNode
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import OutputStreamLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.utils.chain_map import ReadOnlyChainMap

LONGEST = 32
"""Pieces of a run."""
SPECIAL = re.compile("[&<>\"']")
OF_THE_LIBRARY = frozenset({"size", "first", "last"})
"""Segments which the library may answer itself."""


_NOWHERE = object()


class Scope(ReadOnlyChainMap):
    """The library's chain of namespaces, without an exception for each that lacks the name."""

    def __init__(self, other: ReadOnlyChainMap) -> None:
        super().__init__(*other._maps)

    def __getitem__(self, key: str) -> object:
        found = self.found(key)
        if found is _NOWHERE:
            raise KeyError(key)
        return found

    def found(self, key: str) -> object:
        """The value of the first namespace that has the name."""
        for mapping in self._maps:
            value = mapping.get(key, _NOWHERE)
            if value is not _NOWHERE:
                return value
        return _NOWHERE


class Buffer(LimitedStringIO):
    """The library's, without encoding what is plain ASCII only to count its bytes."""

    def write(self, text: str) -> int:
        self.size += len(text) if text.isascii() else len(text.encode())
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        return StringIO.write(self, text)


class Value(OutputNode):
    """`{{ ... }}`; a subclass says what of it may be printed."""

    __slots__ = ("path",)

    def __init__(self, token: Any, expression: Expression) -> None:
        super().__init__(token, expression)
        self.path = path_of(expression)

    @abstractmethod
    def said(self, context: RenderContext) -> str:
        """The text of the value, escaped where the context escapes. By the library's own evaluation."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(self.said(context))


class Run(Node):
    """Text and values that follow each other: as many steps, and one piece of output.

    Nothing within a run can change a namespace, so each is looked up once.
    """

    __slots__ = ("_parts", "_roots", "nodes")

    def __init__(self, nodes: Sequence[ContentNode | Value]) -> None:
        super().__init__(nodes[0].token)
        self.blank = all(node.blank for node in nodes)
        self.nodes = nodes
        self._parts = list(map(_part, nodes))
        self._roots = tuple({root for root, _, value in self._parts if value})

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        context.spend(len(self._parts) - 1)  # type: ignore[attr-defined]
        scope, escaping = context.scope, context.autoescape
        at = {root: scope.found(root) for root in self._roots}  # type: ignore[attr-defined]
        said = []
        for root, name, value in self._parts:
            if value is None:
                said.append(root)
                continue
            inside = at[root]
            found = inside.get(name) if type(inside) is dict else None
            if type(found) is str and found:
                said.append(str(escape(found)) if escaping and SPECIAL.search(found) else found)
            else:
                said.append(str(found) if type(found) is int else value.said(context))
        return buffer.write("".join(said))


class Loop(ForNode):
    """`{% for %}`; over a whole list with nothing but a run in it, without the library's book-keeping of
    what such a loop cannot ask for (`forloop`, `break`, loops within)."""

    __slots__ = ("_names", "_run", "_stop")

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._run: Run | None = None
        self._names: tuple[str, ...] = ()
        self._stop = f"{self.expression.identifier}-{self.expression.iterable}"

    @property
    def plain(self) -> bool:
        """Whether the loop goes the short way where its list is one."""
        return self._run is not None

    def settle(self) -> None:
        """Once what is within has been joined: whether the loop is so plain."""
        one, nodes = self.expression, self.block.nodes
        whole = one.limit is one.offset is one.cols is None and not one.reversed
        alone = nodes[0] if len(nodes) == 1 and isinstance(nodes[0], Run) else None
        if whole and alone and "forloop" not in str(alone):
            self._run, self._names = alone, names_of(one.iterable)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        items = value_at(self._names, context) if self._run else None
        if type(items) is not list or not items or context.scope.size() > context.env.context_depth_limit:
            return super().render_to_output(context, buffer)
        assert self._run
        context.raise_for_loop_limit(len(items))
        context.stopindex(self._stop, len(items))
        namespace: dict[str, object] = {}
        name, written = str(self.expression.identifier), 0
        context.scope.push(namespace)
        try:
            for namespace[name] in items:
                context.spend(2)  # type: ignore[attr-defined]
                written += self._run.render_to_output(context, buffer)
        finally:
            context.scope.pop()
        return written


class LoopTag(ForTag):
    node_class = Loop


def value_at(names: tuple[str, ...], context: RenderContext) -> object:
    """What stands at a plain path; None where it is not plain data all the way."""
    found: object = context.scope.found(names[0]) if names else None  # type: ignore[attr-defined]
    for name in names[1:]:
        found = found.get(name) if type(found) is dict else None
    return found


def _part(node: ContentNode | Value) -> tuple[str, str, Value | None]:
    """A value's namespace and name ("" where only the library can say), and itself; or the text alone."""
    if isinstance(node, ContentNode):
        return str(node.text), "", None
    root, name = node.path if len(node.path) == 2 else ("", "")
    return root, name, node


def path_of(expression: Expression) -> tuple[str, ...]:
    """The names of a plain path; () for anything else. A `default` after it says nothing where there is a
    text or a number."""
    if not isinstance(expression, FilteredExpression):
        return ()
    if [one.name for one in expression.filters or ()] not in ([], ["default"]):
        return ()
    return names_of(expression.left)


def names_of(path: Expression) -> tuple[str, ...]:
    """The names of a path that has names alone, none of which the library may answer itself; else ()."""
    segments: Sequence[Any] = path.path if isinstance(path, Path) else ()
    plain = all(isinstance(one, str) and one not in OF_THE_LIBRARY for one in segments)
    return tuple(segments) if plain else ()


def joined(nodes: list[Node]) -> list[Node]:
    """The nodes, and those within them, with what follows each other put together."""
    made: list[Node] = []
    following: list[Any] = []
    for node in nodes:
        if isinstance(node, ContentNode | Value):
            following.append(node)
            continue
        made += _run(following)
        following = []
        _within(node)
        made.append(node)
    return made + _run(following)


def _run(nodes: Sequence[Any]) -> list[Node]:
    """Runs of a bounded length: what a run makes is counted only when it is written."""
    parts = [nodes[at : at + LONGEST] for at in range(0, len(nodes), LONGEST)]
    return [Run(part) if len(part) > 1 else part[0] for part in parts]


def _within(node: Node) -> None:
    if isinstance(node, BlockNode):
        node.nodes[:] = joined(node.nodes)
        return
    inner: Iterable[Node] = node.children(None, include_partials=False)  # type: ignore[arg-type]
    for one in inner:
        _within(one)
    if isinstance(node, Loop):
        node.settle()

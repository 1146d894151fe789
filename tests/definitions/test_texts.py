"""What somebody wrote comes back as they wrote it: comments, quotes and order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hark.clock import SetClock
from hark.definitions import yaml
from hark.definitions.document import Document
from hark.definitions.parse import Parsed, parse
from hark.definitions.plan import command, export, plan
from hark.definitions.problems import Problems
from hark.definitions.rewrite import body_of
from hark.engine import Engine
from hark.model import Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.store.state import open_reader
from tests.console.shop import START
from tests.definitions.test_rewrite import VALUES

FILE = """\
# The shop's definitions, by ann
---
segment: buyers   # anybody who ever bought
where: {did: 'Order Completed'}
# the end of buyers
---
topic: news

# in their words
says: "What is new"
...
---
campaign: thanks
trigger: {event: Order Completed}   # every order
goal: {event: Order Completed, within: 14d}
topic: news
control: 20%
steps:
  # at once
  - update: {traits: {thanked: now}}
"""
COMMENTS = st.lists(st.sampled_from(["", "# a", "  # b: c", "# ---", "#"]), max_size=3)


def kept(found: list[Parsed]) -> list[Document]:
    return [Document(one.kind, one.name, 1, one.body, text=one.text) for one in found]


def test_each_document_of_a_file_has_its_own_words() -> None:
    """Between marks, with the comments above the first and below the last; together they say the same."""
    texts = {one.name: one.text for one in parse(FILE)}
    assert texts["buyers"].startswith("# The shop's definitions")
    assert texts["buyers"].endswith("# the end of buyers\n")
    assert texts["news"] == 'topic: news\n\n# in their words\nsays: "What is new"\n'
    assert "# at once" in texts["thanks"]
    again = export(kept(parse(FILE)))
    assert {one.name: one.text for one in parse(again)} == texts
    assert all(one.what == "same" for one in plan(kept(parse(FILE)), parse(again)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), COMMENTS),
        min_size=1,
        max_size=3,
    )
)
def test_the_words_of_any_documents_come_back(drawn: list[tuple[dict[str, Any], list[str]]]) -> None:
    """Whatever comments stand above and below them, joined and read again each has the same words and says
    the same; nothing of a text that could not be told apart is taken for words."""
    written = ["\n".join([*above, yaml.write([body]), *above]) for body, above in drawn]
    joined = "\n---\n".join(written)
    nodes = yaml.read(joined, Problems(""))
    texts = yaml.texts(joined, nodes)
    for text, node, (body, above) in zip(texts, nodes, drawn, strict=True):
        assert body_of(text) == body == yaml.plain(node)
        assert all(line in text.splitlines() for line in above if line)
    assert yaml.texts("---\n".join(texts), nodes) == texts


def test_the_engine_keeps_what_was_written(tmp_path: Path) -> None:
    """A comment alone makes no version and is there afterwards; a pause by a button keeps the others."""
    clock = SetClock(START)
    with LogStore(tmp_path / "log") as log:

        def apply(text: str, bare: bool = False) -> Document:
            body: dict[str, Any] = command(parse(text))
            for one in body["documents"] if bare else ():
                one.pop("text")
            log.append([NewRow(Lane.URGENT, clock.now(), "hark", "command", msgspec.json.encode(body))])
            Engine(tmp_path, clock).catch_up()
            return next(one for one in open_reader(tmp_path).documents() if one.kind == "campaign")

        assert apply(FILE).text == parse(FILE)[2].text
        again = apply(FILE.replace("# every order", "# each of them"))
        assert (again.version, "# each of them" in again.text) == (1, True)
        paused = apply(FILE.replace("control: 20%", "control: 20%\npaused: yes"), bare=True)
        assert paused.version == 2
        assert "# each of them" in paused.text
        assert "# at once" in paused.text
        assert body_of(paused.text) == paused.body

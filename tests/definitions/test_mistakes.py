"""Wrong documents are refused whole, with every problem, its line and a hint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hark.definitions.document import Document
from hark.definitions.parse import parse, parse_files, read
from hark.definitions.problems import DefinitionError
from hark.definitions.sending import LATER
from hark.definitions.types import Definition, Template
from hark.errors import HarkError
from tests.definitions.cases import Mistake, mistakes


def problems(*texts: str, current: tuple[Document, ...] = ()) -> list[str]:
    """What the language says of these files, f0.yaml, f1.yaml ...; nothing if it takes them."""
    try:
        read([(f"f{number}.yaml", text) for number, text in enumerate(texts)], current)
    except DefinitionError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: mistake.name)
def test_each_mistake_is_named_with_its_line(mistake: Mistake) -> None:
    """Every mistake of the file is refused with exactly the problems that stand below it."""
    assert problems(mistake.text) == [f"f0.yaml:{problem}" for problem in mistake.problems]


def test_an_error_is_one_line_for_each_problem() -> None:
    """What a person reads has a line for each problem, in the order of the text, and an id."""
    with pytest.raises(HarkError) as caught:
        parse("segment: A\nwhere: {did: 5, x: 1}\n", "a.yaml")
    assert caught.value.id == "definitions.refused"
    assert [line.partition(" ")[0] for line in str(caught.value).splitlines()] == ["a.yaml:1:", "a.yaml:2:"]


@pytest.mark.parametrize("channel", LATER)
def test_what_is_planned_answers_not_yet(channel: str) -> None:
    """What the language is to have one day is not met with silence or "unknown"."""
    answers = problems(f"template: a\nchannel: {channel}\ntext: Hello\n")
    assert any("not yet built" in answer for answer in answers)
    assert not any("unknown" in answer for answer in answers)


TEMPLATE = "template: hello\nchannel: email\nsubject: Hi\ntext: Hello\n"
TOPIC = "topic: news\n"
SLOW = "segment: slowing_down\nwhere: {did: A}\n"
CAMPAIGN = """\
campaign: back
trigger: {enters: slowing_down}
goal: {event: Order Completed, within: 14d}
topic: news
exit: [goal, {leaves: slowing_down}]
variants:
  a: {send: {channel: email, template: hello}}
  b:
    steps:
      - wait: {for: 1d}
      - send: {channel: email, template: hello}
"""


def test_references_are_looked_up_in_all_files_and_in_what_is_in_force() -> None:
    """What a campaign names may stand in another file or be in force already."""
    assert problems(CAMPAIGN, SLOW + "---\n" + TOPIC, TEMPLATE) == []
    in_force = (Document("topic", "news", 3, {"topic": "news"}),)
    assert problems(CAMPAIGN, SLOW, TEMPLATE, current=in_force) == []


def test_references_to_nothing_are_named_with_the_nearest() -> None:
    """A segment, topic or template that there is not is refused where it stands, with the nearest name."""
    wrong = SLOW.replace("slowing_down", "slow_down") + "---\n" + TEMPLATE.replace("hello", "hallo")
    assert problems(CAMPAIGN, wrong) == [
        'f0.yaml:2: there is no segment "slowing_down" (did you mean "slow_down"?)',
        'f0.yaml:4: there is no topic "news" (there is none yet)',
        'f0.yaml:5: there is no segment "slowing_down" (did you mean "slow_down"?)',
        'f0.yaml:7: there is no template "hello" (did you mean "hallo"?)',
        'f0.yaml:11: there is no template "hello" (did you mean "hallo"?)',
    ]


def test_a_name_stands_once() -> None:
    """Two documents of one kind and name in one apply are refused."""
    assert problems(TOPIC, TOPIC) == ["f1.yaml:1: topic news is defined twice (first in f0.yaml:1)"]


def test_all_files_are_read_before_the_answer() -> None:
    """Problems of every file are told together."""
    assert [answer.partition(":")[0] for answer in problems("topic: A\n", TOPIC, "segment: a\n")] == [
        "f0.yaml",
        "f2.yaml",
    ]


def test_broken_templates_are_refused_by_who_can_render() -> None:
    """What the renderer says of a template's source is a problem like any other."""

    def broken(one: Definition, _known: Sequence[Definition]) -> str | None:
        return "unclosed tag" if isinstance(one, Template) and "{%" in (one.text or "") else None

    with pytest.raises(DefinitionError, match=r"f\.yaml:1: template hello: unclosed tag"):
        read([("f.yaml", TEMPLATE.replace("Hello", "'{% if'"))], wrong=broken)
    assert len(read([("f.yaml", TEMPLATE)], wrong=broken)) == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is no text are problems like any other."""
    (tmp_path / "latin.yaml").write_bytes(b"topic: caf\xe9\n")
    with pytest.raises(DefinitionError) as caught:
        parse_files([tmp_path / "latin.yaml", tmp_path / "none.yaml"])
    assert [problem.message for problem in caught.value.problems] == [
        "cannot be read: it is not UTF-8 text",
        "cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    "text", ["segment: a\x00", "x: " + "[" * 3000, "? [a]\n: b\n", "%YAML 9\n", "\u0085: a: b"]
)
def test_no_text_breaks_the_reader(text: str) -> None:
    """What is no YAML at all is refused with a problem, never with another error."""
    assert problems(text)


def test_a_link_has_its_name_once() -> None:
    """Templates know links elsewhere by name alone, so two sources with the same one are refused."""
    link = "links: {fan: {event: Became Fan, network: Facebook, url: 'https://facebook.example/shop'}}\n"
    assert problems(f"source: a\n{link}", f"source: b\n{link}---\nsource: c\nuse: form\n") == [
        'f0.yaml:2: the link "fan" is in source b already (templates know links by name alone)',
        'f1.yaml:2: the link "fan" is in source a already (templates know links by name alone)',
    ]

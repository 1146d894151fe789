"""The catalogue from end to end: pages that were read, drafts of them, applied, reported, exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hark
from hark.app import Workspace
from hark.definitions.parse import parse
from hark.definitions.plan import export
from tests.cast import hark as command

SITE = "https://www.shop.example"
IMPORT = ("--customer", "who", "--event", "what", "--at", "when")


def day(number: int, hour: int = 9) -> str:
    return f"2026-03-{number:02}T{hour:02}:00:00Z"


READ = {
    "what": "Content Read",
    "url": f"{SITE}/guides/fit/size?utm_source=x",
    "title": "Sizes",
    "active_s": 90,
    "words": 400,
}
EVENTS = [
    {"who": "ada", "when": day(1), "what": "Signed Up"},
    {"who": "ada", "when": day(2), **READ},
    {"who": "ada", "when": day(20), "what": "Order Completed"},
    {"who": "bob", "when": day(2), "what": "Order Completed"},
    {"who": "bob", "when": day(3), **READ},
    {"who": "bob", "when": day(3, 10), "what": "Worth It", "content": "/guides/fit/size", "worth": True},
    {"who": "eve", "when": day(4), "what": "Page", "url": f"{SITE}/about", "title": "About us"},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("content")
    file = folder / "events.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in EVENTS))
    command(folder / "data", "import", str(file), *IMPORT)
    return folder / "data"


def test_from_pages_seen_to_a_report(data: Path, tmp_path: Path) -> None:
    """What was read is proposed with its readers and stages; the drafts are applied as they are; then the
    item is told of, is proposed no more, and comes back by `export` as it was."""
    file = tmp_path / "drafts.yaml"
    (page,) = command(data, "content", "--seen", "--save", str(file))["pages"]
    assert (page["address"], page["readers"]) == ("shop.example/guides/fit/size", 2)
    assert page["at_stage"] == {"aware": 1, "customer": 1}
    both = command(data, "content", "--seen", "--opened")["pages"]
    assert [one["address"] for one in both] == [page["address"], "shop.example/about"]
    assert "is not written" in command(data, "content", "--seen", "--save", str(file), fails=True)
    command(data, "apply", str(file))
    (item,) = command(data, "content", "--at", day(29))["items"]
    assert (item["content"], item["format"], item["topics"]) == ("size", "guide", ["fit"])
    assert (item["read"]["readers"], item["read"]["minutes"], item["read"]["useful"]) == (2, 3.0, 1)
    assert {name: n for name, n in item["read"]["at_stage"].items() if n} == {"aware": 1, "customer": 1}
    later = hark.open(data).content(day(31))["items"][0]["read"]["gone_on"]
    assert later == {"readers": 1, "on": 1, "back": 0}
    assert hark.open(data).pages_seen() == []
    (applied,) = parse(file.read_text())
    exported = parse(export(Workspace(data).state().documents()))
    assert [one.body for one in exported] == [applied.body]


def test_what_is_asked_wrongly_says_so(data: Path) -> None:
    """A file for drafts without pages, and more pages than are listed."""
    assert "--seen" in command(data, "content", "--save", "x.yaml", fails=True)
    assert "1 to 1000" in command(data, "content", "--seen", "--top", "5000", fails=True)


def test_a_preview_has_an_item_in_it(data: Path, tmp_path: Path) -> None:
    """The one that is named, else any; an unknown one has a reason."""
    (tmp_path / "more.yaml").write_text(
        "content: fit\ntitle: How it fits\nurl: https://shop.example/fit\nformat: video\n---\n"
        "content: size\ntitle: Sizes\nurl: https://www.shop.example/guides/fit/size\nformat: guide\n---\n"
        "template: to_read\nchannel: email\nsubject: '{{ content.title }}'\ntext: '{{ content.url }}'\n"
    )
    command(data, "apply", str(tmp_path / "more.yaml"))
    said = command(data, "preview", "to_read")["preview"]["said"]
    assert (said["subject"], said["text"].split()[0]) == ("How it fits", "https://shop.example/fit")
    said = command(data, "preview", "to_read", "--content", "size")["preview"]["said"]
    assert said["subject"] == "Sizes"
    assert "content.unknown" in command(data, "preview", "to_read", "--content", "other", fails=True)

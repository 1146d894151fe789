"""Lists of people from other products: nobody who left comes back, in whichever order files are brought."""

from __future__ import annotations

import csv
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from hark.app import Workspace
from hark.clock import SetClock, instant
from hark.engine import Engine
from hark.imports import lane
from hark.imports.people import People
from hark.model import DAY, Lane, Record
from hark.settings import Settings
from hark.store.log import LogStore
from tests.cast import hark
from tests.engine.world import World

TOPICS = "topic: news\ndefault: in\nopt_in: single\n---\ntopic: offers\ndefault: out\n"
MAILCHIMP = People("mailchimp", {"": "news"})
AUDIENCE = {
    "subscribed_members_export_a1": """
Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED,TAGS
in@example.com,Ina,4,2024-01-02 10:00:00,2024-01-02 10:05:00,2025-01-01 00:00:00,
both@example.com,Bo,4,2024-01-02 10:00:00,,2025-01-01 00:00:00,
""",
    "unsubscribed_members_export_a1": """
Email Address,First Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,UNSUB_TIME,UNSUB_REASON
left@example.com,Leo,2,2023-01-02 10:00:00,2024-05-06 00:00:00,2024-05-06 07:08:09,no longer interested
""",
    "cleaned_members_export_a1": """
Email Address,First Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
gone@example.com,Gus,1,2020-01-01 00:00:00,2021-01-01 00:00:00,2021-01-01 00:00:00,x
""",
    "nonsubscribed_members_export_a1": """
Email Address,First Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LAST_CHANGED,TAGS
buyer@example.com,Bea,2,,,2025-01-01 00:00:00,
""",
}


def table(path: Path, *rows: list[str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def audience(folder: Path) -> Path:
    found = folder / "audience_export.zip"
    with zipfile.ZipFile(found, "w") as archive:
        for name, text in AUDIENCE.items():
            archive.writestr(f"{name}.csv", text.lstrip())
    return found


def workspace(data: Path) -> Workspace:
    world = World(data)
    world.define(TOPICS)
    world.log.close()
    return Workspace(data, SetClock(instant("2026-01-01T00:00:00Z")))


def bring(here: Workspace, path: Path, way: People) -> lane.Imported:
    here.settle()
    found, _ = lane.imported(here, path, way, lambda _: None)
    here.settle()
    return found


def record(here: Workspace, id: str) -> Record:
    subject = here.state().find(id)
    assert subject is not None, id
    found = here.state().record(subject)
    assert found
    return found


def answers(here: Workspace, id: str) -> dict[str, str]:
    return {key: one.state for key, one in record(here, id).consents.items()}


def test_mailchimps_audience(tmp_path: Path) -> None:
    """Each table of the zip means what its status says, with the time and the reason that it gives."""
    here = workspace(tmp_path / "data")
    found = bring(here, audience(tmp_path), MAILCHIMP)
    assert (found.rows, found.problems, found.suppressed) == (5, 0, 1)
    assert answers(here, "in@example.com") == {"news/email": "in"}
    left = record(here, "left@example.com").consents["news/email"]
    assert (left.state, left.at) == ("out", instant("2024-05-06T07:08:09Z"))
    assert left.wording == "Mailchimp: no longer interested"
    assert record(here, "gone@example.com").barred == {"gone@example.com": "bounced"}
    assert answers(here, "buyer@example.com") == {}
    traits = record(here, "in@example.com").traits
    assert {name: one.value for name, one in traits.items()} == {
        "email": "in@example.com",
        "first_name": "Ina",
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_nobody_who_left_comes_back(tmp_path: Path, order: tuple[int, ...]) -> None:
    """In every order of a list of who is in, one of who left, and one of who bounced, twice over."""
    here = workspace(tmp_path / "data")
    joined = table(tmp_path / "in.csv", ["email"], ["a@example.com"], ["b@example.com"], ["c@example.com"])
    left = table(tmp_path / "out.csv", ["email"], ["a@example.com"])
    gone = table(tmp_path / "gone.csv", ["email"], ["B@Example.com"])
    ways = [
        (joined, People("csv", {"": "news"}, every="in")),
        (left, People("csv", {"": "news"}, every="out")),
        (gone, People("csv", every="bounced")),
    ]
    for place in (*order, *order):
        bring(here, *ways[place])
    assert answers(here, "a@example.com") == {"news/email": "out"}
    assert answers(here, "c@example.com") == {"news/email": "in"}
    assert record(here, "b@example.com").barred == {"b@example.com": "bounced"}
    assert record(here, "a@example.com").barred == {}


def test_who_left_here_is_not_brought_back_by_an_old_list(tmp_path: Path) -> None:
    """Neither the customer, nor another with the address, nor a new one after an erasure."""
    data = tmp_path / "data"
    world = World(data)
    world.define(TOPICS)
    world.identify("ada", email="in@example.com")
    world.catch_up()
    world.unsubscribe("ada")
    world.catch_up()
    world.log.close()
    here = Workspace(data, SetClock(world.clock.at + DAY))
    bring(here, audience(tmp_path), MAILCHIMP)
    assert answers(here, "ada") == {"news/email": "out"}
    log = LogStore(data / "log")
    world.log = log
    world.clock.at += 2 * DAY
    world.post("command", Lane.URGENT, name="erase", customer="ada")
    world.catch_up()
    log.close()
    later = Workspace(data, SetClock(world.clock.at + DAY))
    file = table(tmp_path / "again.csv", ["email", "at"], ["in@example.com", "2026-01-20"])
    bring(later, file, People("csv", {"": "news"}, every="in", at="at"))
    assert answers(later, "in@example.com")["news/email"] == "out"


def test_customerios_people(tmp_path: Path) -> None:
    """`unsubscribed` is of everything; preferences are of topics, in one column or in several."""
    here = workspace(tmp_path / "data")
    file = table(
        tmp_path / "people.csv",
        ["id", "email", "created_at", "unsubscribed", "cio_subscription_preferences", "plan"],
        ["7", "a@example.com", "1700000000", "", '{"topics": {"topic_1": true, "topic_2": false}}', "pro"],
        ["8", "b@example.com", "1700000000", "true", "", ""],
    )
    way = People("customerio", {"topic_1": "offers", "topic_2": "news"})
    bring(here, file, way)
    assert answers(here, "7") == {"offers/email": "in", "news/email": "out"}
    assert answers(here, "8") == {"*/email": "out"}
    assert record(here, "7").traits["plan"].value == "pro"
    columns = table(
        tmp_path / "columns.csv",
        ["id", "email", "cio_subscription_preferences.topics.topic_1"],
        ["9", "d@example.com", "true"],
    )
    bring(here, columns, way)
    assert answers(here, "9") == {"offers/email": "in"}
    gone = table(tmp_path / "suppressed.csv", ["email", "reason"], ["z@example.com", "spam"])
    assert bring(here, gone, way).suppressed == 1
    assert [one.why for one in here.state().suppressions("z@")] == ["complained"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["", "in"], "nobody"),
        (["no-address", "in"], "no e-mail address"),
        (["a@example.com", "perhaps"], "an unknown status"),
    ],
)
def test_what_is_not_understood_is_left_out_and_named(tmp_path: Path, row: list[str], message: str) -> None:
    """A guess would write to somebody who had left."""
    here = workspace(tmp_path / "data")
    file = table(tmp_path / "list.csv", ["email", "state"], row, ["ok@example.com", "subscribed"])
    found = bring(here, file, People("csv", {"": "news"}, status="state"))
    assert [one.message.partition(":")[0] for one in found.first_problems] == [message]
    assert answers(here, "ok@example.com") == {"news/email": "in"}


def test_the_command(tmp_path: Path) -> None:
    """`hark people`, `suppress`, `suppressed` and `unsuppress`, as the docs show them."""
    data = tmp_path / "data"
    workspace(data).settle()
    words = ("people", str(audience(tmp_path)), "--format", "mailchimp", "--topic")
    said: Any = hark(data, *words, "news")
    assert (said["rows"], said["suppressed"]) == (5, 1)
    unknown = hark(data, *words, "no", fails=True)
    assert "there is no topic 'no'; nothing was imported" in unknown
    hark(data, "suppress", "ada@example.com", "--detail", "by telephone")
    listed = hark(data, "suppressed", "ada@")["suppressed"]
    assert [(one["why"], one["detail"]) for one in listed] == [("team", "by telephone")]
    hark(data, "unsuppress", "ada@example.com")
    assert hark(data, "suppressed", "ada@")["suppressed"] == []
    assert "is no address" in hark(data, "suppress", "nobody", fails=True)


def test_a_confirmation_by_a_client_is_refused_still(tmp_path: Path) -> None:
    """Only a file that the team imports may state what was confirmed elsewhere."""
    world = World(tmp_path)
    world.define(TOPICS)
    world.track("eve", "Subscription Confirmed", topic="offers")
    world.catch_up()
    Engine(tmp_path, world.clock, None, Settings()).catch_up()
    assert "Subscription Confirmed" not in world.names()

"""The list to look at before a campaign is started."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hark.clock import SetClock, instant
from hark.console import drafts
from hark.console.launch import checks
from hark.console.source import Source
from hark.decide.backtest.found import Entry
from hark.definitions import yaml
from hark.definitions.parse import parse
from hark.definitions.types import Campaign
from hark.engine import Engine
from hark.learn.backtest.answer import Backtest
from hark.learn.backtest.forecast import Detectable, Proposal, base_rate
from hark.model import WEEK
from hark.store.log import LogStore
from tests.console.shop import DEFINITIONS, END, define
from tests.console.test_pages import html, told
from tests.decide.story import TOPIC, campaign

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")

SENDER = "sender: shop\naddress: 'Shop <shop@shop.example>'\n---\n"


def listed(
    text: str, tested: Backtest | None = None, topic: str = TOPIC
) -> dict[str, tuple[bool | None, str]]:
    found = [one.definition for one in parse(topic + text)]
    newest = next(one for one in found if isinstance(one, Campaign) and one.name == "hello")
    return {one.asks: (one.good, one.says) for one in checks(newest, found, tested)}


def test_tasks_need_no_sender_and_their_assignees_an_account() -> None:
    """Who is named by address is looked for among the accounts; whoever a reference finds cannot be."""
    task = "{task: {for: sales, says: Call, assignee: %s}}"
    steps = ", ".join(task % one for one in ("Ann@shop.example", "bo@shop.example", "customer.owner"))
    found = [one.definition for one in parse(TOPIC + campaign(f"[{steps}]"))]
    newest = next(one for one in found if isinstance(one, Campaign))
    lines = {one.asks: one.good for one in checks(newest, found, accounts={"ann@shop.example"})}
    about = {asks: good for asks, good in lines.items() if asks.startswith(("Tasks", "Sender"))}
    assert about == {"Tasks for ann@shop.example": True, "Tasks for bo@shop.example": False}


def test_what_is_lacking_is_said() -> None:
    """No belief, nobody left alone, no sender: each with what to do."""
    found = listed(campaign())
    assert found["Goal"][0]
    assert found["Belief"] == (False, "Say why it should help: hypothesis.")
    assert found["Left alone"] == (False, "Nobody (a test): nothing can be learned of it.")
    assert found["Sender: email"] == (False, "No sender for email: apply one.")


def test_what_is_there_is_good() -> None:
    """With belief, forecast, control and sender only what a person has to say is left."""
    found = listed(SENDER + campaign(control="20%", hypothesis="They forgot.", expects="4%"))
    assert [asks for asks, (good, _) in found.items() if not good] == [
        "All controls together",
        "Worth their attention",
    ]
    assert found["Belief"][1] == "Written down, with a forecast of +4 points."


@pytest.mark.parametrize("share", ["10%", "0%"])
def test_all_controls_together(share: str) -> None:
    """1 - (1 - global)(1 - 0.4)(1 - 0.1): who is left alone by at least one; a paused campaign counts
    nobody."""
    others = campaign(control="40%").replace("campaign: hello", "campaign: other") + "---\n"
    others += campaign(control="50%", paused="yes").replace("campaign: hello", "campaign: resting") + "---\n"
    policy = f"policy: attention\nglobal_control: {{share: {share}}}\n---\n"
    found = listed(policy + others + campaign(control="10%"))
    expected = 1 - (1 - float(share.rstrip("%")) / 100) * 0.6 * 0.9
    assert f"{100 * expected:.0f} % of those who qualify" in found["All controls together"][1]


def test_what_people_do_by_themselves_stands_against_the_forecast() -> None:
    """A forecast of 4 points is found in the first span of weeks whose smallest effect is below it; one of 1
    point in none. Ten of a hundred do it anyway; a thousand messages in four weeks are 200 a week of 80 %."""
    entries = [
        Entry(subject, instant("2026-01-01T00:00:00Z"), True, True, subject < 10) for subject in range(100)
    ]
    rate = base_rate(entries)
    asked = [
        Detectable(1, 50, 0.09),
        Detectable(2, 100, 0.05),
        Detectable(4, 200, 0.03),
        Detectable(8, 400, 0.02),
    ]
    tested = Backtest(
        "hello", 0, 4 * WEEK, 4 * WEEK, 100, 100, 100, 0, 0, rate, rate, (), (), (), 1000, {}, {}, (),
        Proposal(0.31, 900, 9.0), 0.2, tuple(asked),
    )  # fmt: skip
    found = listed(SENDER + campaign(control="20%", hypothesis="They forgot.", expects="4%"), tested)
    assert found["Base rate"][0] and "10.0 % reach the goal" in found["Base rate"][1]
    assert found["Detectable effect"] == (
        True,
        "The forecast can be found in 4 weeks. In 8 weeks (400 customers) one of 2.0 points.",
    )
    assert found["Left alone"][1].endswith("31 % would find the forecast soonest.")
    assert "one in 25 " in found["Worth their attention"][1]
    assert "about 200 messages a week" in found["Worth their attention"][1]
    modest = listed(SENDER + campaign(control="20%", hypothesis="They forgot.", expects="1%"), tested)
    assert not modest["Detectable effect"][0]


def test_a_template_that_nobody_has_written_yet_is_told_of() -> None:
    """The text that a draft begins with is not good enough to be sent."""
    [template, _] = drafts.campaign("hello", "quiet", "They forgot.", "Bought", "7d", "news")
    found = listed(campaign(), None, "topic: news\n---\n" + yaml.write([template]) + "---\n")
    assert found["Template: hello"] == (False, "Its text is still that of the draft.")


def test_the_list_and_the_plots_come_of_the_same_back_test(ann: Client) -> None:
    """The page's numbers add up, and the list says the base rate that the page shows."""
    page = told(ann, "/campaigns/come_back/backtest")["answer"]
    assert page["entries"] == sum(day["entries"] for day in page["by_day"]) > 0
    lines = {one["asks"]: one["says"] for one in told(ann, "/campaigns/come_back/launch")["checks"]}
    assert f"{100 * page['base_rate']['estimate']:.1f} %" in lines["Base rate"]
    shown = html(ann, "/campaigns/come_back/backtest")
    assert shown.count("data-figure=") >= 3
    assert ann.get("/campaigns/come_back/backtest?since=nonsense").status_code == 400


def test_the_state_is_that_of_the_version_in_force(shop: Path, application: object, tmp_path: Path) -> None:
    """A campaign that was paused just now is paused on its page, although its report, and so what is shown,
    is of the version before."""
    from hark.console.pages.campaigns import campaign as page_of

    data, clock = tmp_path / "shop", SetClock(END + 1)
    shutil.copytree(shop, data, ignore=shutil.ignore_patterns("run"))
    paused = DEFINITIONS.replace("expects: 5%\n", "expects: 5%\npaused: yes\n")
    with LogStore(data / "log") as log:
        log.append([define(paused)])
    Engine(data, clock).catch_up()
    here = Source(data, clock, "http://x")
    found = page_of(here, here.state.versions("campaign", "come_back"), None)
    assert (found.version, found.versions, found.state) == (1, (1, 2), "paused")
    assert found.launch is not None and found.report is not None

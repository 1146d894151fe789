"""kill -9 of any process, and of all, at any moment, under load: nothing is lost, nothing doubled."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from statistics import median

import httpx
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from hark.app import Workspace
from hark.model import Event, FactName, Kind
from hark.speak.catcher import Catcher
from tests.cast import ROLES, Server, eventually, hark, unread
from tests.story.load import CUSTOMERS, Load

SETTINGS = "seal_events = 100\nseal_age_s = 1.0\ncompact_files = 2\nlog_file_mb = 1\n"
"""So small that sealing, compaction and new log files happen between any two kills."""
HERE = "outbound_allow = ['127.0.0.1']\n"
DEFINITIONS = """
sender: catcher
address: "Shop <shop@shop.example>"
host: 127.0.0.1
port: PORT
rate_per_s: 400
---
template: receipt
channel: email
subject: "Order {{ event.order_id }}"
text: "Thank you for {{ event.order_id }}."
---
topic: news
says: What is new
default: in
---
campaign: receipt
trigger: {event: Order Completed}
goal: {event: Review Written, within: 1d}
control: none
why: nobody may miss anything here
topic: news
key: event.order_id
reenter: always
steps:
  - send: {channel: email, template: receipt}
"""
WEIGHTS = {"engine": 13, "collect": 13, "console": 10, "questions": 10, "all": 4}
"""Of fifty kills."""


def plan(cycles: int, chance: random.Random) -> list[str]:
    """Which process each cycle kills: spread evenly, in an order drawn once."""
    places = []
    for role, of_fifty in WEIGHTS.items():
        times = of_fifty * cycles // 50
        places += [((place + chance.random()) / times, role) for place in range(times)]
    return [role for _, role in sorted(places)]


class Starts:
    """How long each process took, from its kill until another did its work; measured beside the kills."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._threads: list[threading.Thread] = []
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def watch(self, role: str, killed: int | None) -> None:
        thread = threading.Thread(target=self._watch, args=(role, killed, time.monotonic()))
        self._threads.append(thread)
        thread.start()

    def _watch(self, role: str, killed: int | None, began: float) -> None:
        eventually(
            lambda: self._server.pid(role) not in (None, 0, killed), seconds=120, what=f"{role} starts"
        )
        if role == "collect":
            with suppress(httpx.HTTPError):  # it was killed again
                httpx.get(self._server.url + "/health/live", timeout=60, trust_env=False, verify=False)
        self.seconds[role].append(time.monotonic() - began)

    def told(self) -> str:
        for thread in self._threads:
            thread.join()
        return ", ".join(
            f"{role} at most {max(times):.2f} s, median {median(times):.2f} s, {len(times)} times"
            for role, times in sorted(self.seconds.items())
        )


class Killer:
    """Kills a role once it is at work again, so that no kill is spent on a process that has only begun."""

    def __init__(self, server: Server, load: Load, chance: random.Random) -> None:
        self._server, self._load, self._chance = server, load, chance
        self._before: dict[str, object] = {}
        self._state = Workspace(server.data).state()
        self.starts = Starts(server)

    def kill(self, role: str) -> None:
        """kill -9 at a moment drawn by chance; of all: and the server is started again."""
        if role == "all":
            self._await_work("engine")
        eventually(lambda: role == "all" or self._server.pid(role), what=f"{role} runs again")
        self._await_work(role)
        time.sleep(self._chance.random() * 0.4)
        if role == "all":
            self._server.kill_all()
            self._remember(*ROLES)
            began = time.monotonic()
            self._server.start()
            self.starts.seconds["the whole server"].append(time.monotonic() - began)
        else:
            killed = self._server.pid(role)
            self._server.kill(role)
            self._remember(role)
            self.starts.watch(role, killed)

    def _await_work(self, role: str) -> None:
        if role in WORK:
            eventually(lambda: self._work(role) != self._before.get(role), what=f"{role} works again")

    def _remember(self, *roles: str) -> None:
        self._before |= {role: self._work(role) for role in roles if role in WORK}

    def _work(self, role: str) -> object:
        """Something that only changes while the role does its work."""
        if role == "collect":
            return len(self._load.acknowledged)
        return self._state.cursors()


WORK = ("collect", "engine")


@pytest.mark.parametrize("cycles", [50, pytest.param(1000, marks=pytest.mark.torture)])
def test_no_kill_loses_or_doubles_anything(tmp_path: Path, cycles: int) -> None:
    """Each acknowledged event is once in the history, each order has one message, none is sent twice."""
    chance = random.Random(cycles)
    data = tmp_path / "data"
    data.mkdir()
    (data / "hark.toml").write_text(SETTINGS + HERE)
    with Catcher() as catcher:
        server = Server(data).start()
        try:
            key = prepared(data, catcher)
            with Load(server.url, key, pause_s=0.1) as load:
                killer = Killer(server, load, chance)
                for role in plan(cycles, chance):
                    killer.kill(role)
            print(f"{cycles} kills; started again: {killer.starts.told()}")
            eventually(lambda: settled(data, load), seconds=300, what="all is read and sent")
        finally:
            server.stop()
        assert_history(data, load)
        assert_messages(data, load, catcher)


def prepared(data: Path, catcher: Catcher) -> str:
    """Applies the definitions and makes the customers' addresses known; the source's key."""
    (data.parent / "shop.yaml").write_text(DEFINITIONS.replace("PORT", str(catcher.port)))
    key: str = hark(data, "source", "add", "shop")["write_key"]
    hark(data, "apply", str(data.parent / "shop.yaml"))
    found = Workspace(data).server
    assert found
    server = Server(data)
    server.url = found.url
    known = [
        {"type": "identify", "userId": f"c{n}", "traits": {"email": f"c{n}@shop.example"}}
        for n in range(CUSTOMERS)
    ]
    assert server.post("/v1/batch", {"batch": known}, key).status_code == 200
    return key


def settled(data: Path, load: Load) -> bool:
    """The engine has read every row, and no message waits for its hand-off or outcome."""
    counts = Workspace(data).state().outbox_counts()
    waiting = counts.get("wanted", 0) + counts.get("sending", 0)
    return sum(counts.values()) >= len(load.orders) and not waiting and not unread(data)


def assert_history(data: Path, load: Load) -> None:
    """Acknowledged events once, abandoned ones at most once, no other; in the sealed table alone as well."""
    events = list(Workspace(data).snapshot().events(facts=True))
    theirs = Counter(event.message_id for event in events if event.kind == Kind.TRACK)
    assert len(load.acknowledged) > 1_000, "too little load to show anything"
    assert not load.acknowledged - theirs.keys(), "acknowledged and lost"
    assert [message for message, times in theirs.items() if times > 1] == []
    assert theirs.keys() <= load.acknowledged | load.abandoned
    assert doubled_facts(events) == []
    table = DeltaTable(str(data / "history"))
    sealed = pa.table(table.to_pyarrow_table(columns=["message_id"]))["message_id"].to_pylist()
    assert len(sealed) == len(set(sealed)) > 1_000
    commits = [path.read_text() for path in (data / "history" / "_delta_log").glob("*.json")]
    assert any('"remove":' in commit for commit in commits), "nothing was compacted under the kills"


def doubled_facts(events: list[Event]) -> list[str]:
    """Ids of facts that stand twice in the history."""
    facts = Counter(event.message_id for event in events if event.kind == Kind.FACT)
    return [message for message, times in facts.items() if times > 1]


def assert_messages(data: Path, load: Load, catcher: Catcher) -> None:
    """One message an order; each is sent or unknown; the mail server saw none twice and all that are sent."""
    outbox = {row.message: row for row in Workspace(data).state().outbox(limit=1_000_000)}
    orders = Counter(row.run for row in outbox.values())
    assert len(outbox) >= len(load.orders)
    assert set(orders.values()) == {1}
    assert {row.state for row in outbox.values()} <= {"sent", "unknown"}
    arrived = Counter(caught.message_id.strip("<>").split("@")[0] for caught in catcher.caught)
    assert [message for message, times in arrived.items() if times > 1] == []
    sent = {message for message, row in outbox.items() if row.state == "sent"}
    assert sent <= arrived.keys() <= outbox.keys()
    wanted = list(Workspace(data).snapshot().events([FactName.MESSAGE_WANTED], facts=True))
    assert len(wanted) == len(outbox)


def test_the_plan_of_kills_has_every_process() -> None:
    """Fifty cycles kill each of the processes and the whole server several times."""
    assert set(plan(50, random.Random(50))) == {*ROLES, "all"}

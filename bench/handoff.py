"""Handing messages over: `python -m bench.handoff [--recipients 1000 10000 100000] [--by smtp]`.

A broadcast to so many recipients stands in the outbox, all of it due. Then an engine's process starts, with
a sender that takes any number, at a sink on this machine (`bench._sink`). Everything is as it is served:
consent and caps asked again, *sending* on disk before a thread renders and hands over, the outcome on disk
after it, facts into the history. For each size, from the first message that is sent on disk to the last:

* `per_s`: messages a second (the bar is 1,000), `cpu_us`: the engine's processor time for each;
* `commits`: how many messages shared one;
* `ratio`: to a skeleton of the same run, which marks as many rows in one commit, hands the same bytes to the
  same sink by the same four threads, and marks them again: no engine, no rendering, no facts.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import msgspec
from msgspec import Struct

from bench._servers import cpu_s
from hark.clock import SetClock, WallClock
from hark.definitions.parse import parse
from hark.engine import Engine
from hark.model import MINUTE, SECOND, Lane
from hark.settings import Settings
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from hark.supervisor import Place, role_commands

SIZES = (1_000, 10_000, 100_000)
ANY = 100_000
"""A second: what the sender is said to take."""
BATCH, BYTES = 500, 900
"""Customers of a batch; and how long the skeleton's messages are, about what a short letter is."""
SENDERS = {
    "smtp": "sender: out\naddress: 'Shop <shop@shop.example>'\nhost: 127.0.0.1\nport: {smtp}\n",
    "sendgrid": "sender: out\nprovider: sendgrid\naddress: 'Shop <shop@shop.example>'\nsecret_env: HOME\n"
    "url: http://127.0.0.1:{http}/v3\n",
    "twilio": "sender: out\nchannel: sms\naddress: '+15550100'\naccount: AC0\nsecret_env: HOME\n"
    "url: http://127.0.0.1:{http}\n",
}
DEFINITIONS = """rate_per_s: {rate}
---
topic: news
says: What is new
default: in
opt_in: single
---
template: hello
channel: {channel}
{subject}
text: "Dear {{{{ customer.name }}}}, there is something new in what you bought."
---
campaign: news
hypothesis: They come back.
trigger: {{broadcast: {{at: "{at}", zone: UTC}}}}
goal: {{event: Order Completed, within: 7d}}
control: none
why: a benchmark
topic: news
steps: [{{send: {{channel: {channel}, template: hello}}}}]
"""


class Sinks(Struct, frozen=True):
    """The ports of `bench._sink`."""

    http: int
    smtp: int


@contextmanager
def sink() -> Iterator[Sinks]:
    process = subprocess.Popen([sys.executable, "-m", "bench._sink"], stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield msgspec.json.decode(process.stdout.readline(), type=Sinks)
    finally:
        process.kill()
        process.communicate()


def queued(data: Path, recipients: int, by: str, sinks: Sinks) -> None:
    """The broadcast stands in the outbox."""
    (data / "hark.toml").write_text("outbound_allow = ['127.0.0.1']\n")
    clock = SetClock(WallClock().now() - MINUTE)
    at = clock.at // SECOND + 30
    channel, subject = ("sms", "") if by == "twilio" else ("email", "subject: What is new")
    given = {"at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)), "channel": channel}
    sender = SENDERS[by].format(http=sinks.http, smtp=sinks.smtp)
    text = sender + DEFINITIONS.format(rate=ANY, subject=subject, **given)
    documents = [{"kind": one.kind, "name": one.name, "body": one.body} for one in parse(text)]
    command = {"name": "define", "documents": documents, "author": "bench", "note": ""}
    log = LogStore(data / "log")
    log.append([NewRow(Lane.URGENT, clock.at, "bench", "command", msgspec.json.encode(command))])
    log.append([NewRow(Lane.LIVE, clock.at, "bench", "batch", body) for body in known(recipients)])
    log.close()
    for moment in (clock.at, (at + 1) * SECOND):
        clock.at = moment
        Engine(data, clock).catch_up()


def known(recipients: int) -> Iterator[bytes]:
    for first in range(0, recipients, BATCH):
        some = range(first, min(first + BATCH, recipients))
        yield msgspec.json.encode({"batch": [identified(number) for number in some]})


def identified(number: int) -> dict[str, object]:
    traits = {"name": f"Ada {number}", "email": f"u{number}@shop.example", "phone": f"+1555{number:07}"}
    return {"type": "identify", "userId": f"u{number}", "messageId": f"m{number}", "traits": traits}


def handed(data: Path) -> dict[str, float]:
    """By an engine's process, from its start until nothing waits any more."""
    with closing(state_of(data)) as state, socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        before, began = chunks(state), time.monotonic()
        command = role_commands(Place(data, f"http://127.0.0.1:{port}", port, fd))["engine"]
        engine = subprocess.Popen(command, pass_fds=(fd,), stdout=subprocess.DEVNULL)
        try:
            while number(state, WAITING):
                assert engine.poll() is None, "the engine ended"
                time.sleep(0.05)
            used_s, commits = cpu_s(engine.pid), chunks(state) - before
        finally:
            engine.send_signal(signal.SIGTERM)
            engine.wait()
        messages, took_us = number(state, "SELECT count(*) FROM outbox"), number(state, TOOK)
        assert number(state, "SELECT count(*) FROM outbox WHERE state <> 'sent'") == 0, "not all were sent"
    return {
        "per_s": round(messages / took_us * 1e6),
        "with_start_s": round(time.monotonic() - began, 2),
        "cpu_us": round(used_s / messages * 1e6),
        "a_commit": round(messages / commits, 1),
    }


WAITING = """SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'wanted')
             + EXISTS (SELECT 1 FROM outbox WHERE state = 'sending')"""
TOOK = "SELECT max(updated_at) - min(updated_at) FROM outbox"


def state_of(data: Path) -> apsw.Connection:
    return apsw.Connection(str(data / "state.db"), flags=apsw.SQLITE_OPEN_READONLY)


def number(state: apsw.Connection, ask: str) -> int:
    found: int = next(iter(state.execute(ask)))[0]
    return found


def chunks(state: apsw.Connection) -> int:
    """How many commits there were that held events."""
    return number(state, "SELECT ifnull(max(value), 0) FROM meta WHERE name = 'chunk'")


class Line:
    """One connection of the skeleton to the sink, whose requests are always the same."""

    def __init__(self, by: str, sinks: Sinks) -> None:
        self._socket = socket.create_connection(("127.0.0.1", sinks.smtp if by == "smtp" else sinks.http))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"x" * BYTES
        head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._says = [head + body]
        if by == "smtp":
            self._says = [b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", body + b"\r\n.\r\n"]
            self._socket.recv(100)

    def hand_over(self, _: int) -> None:
        for said in self._says:
            self._socket.sendall(said)
            self._socket.recv(1000)


def skeleton(folder: Path, messages: int, a_commit: int, by: str, sinks: Sinks) -> float:
    """Messages a second without an engine: the same commits, the same threads."""
    lines = queue.SimpleQueue[Line]()
    for _ in range(Settings().deliver_threads):
        lines.put(Line(by, sinks))

    def hand_over(message: int) -> int:
        line = lines.get()
        line.hand_over(message)
        lines.put(line)
        return message

    file = apsw.Connection(str(folder / "skeleton.db"))
    file.pragma("journal_mode", "wal")
    file.pragma("synchronous", "full")
    file.execute("CREATE TABLE outbox (number INTEGER PRIMARY KEY, state, content)")
    with file:
        rows = [(n, "wanted", b"x" * BYTES) for n in range(messages)]
        file.executemany("INSERT INTO outbox VALUES (?, ?, ?)", rows)
    began, done = time.monotonic(), list[int]()
    with ThreadPoolExecutor(Settings().deliver_threads) as threads:
        for first in range(0, messages + a_commit, a_commit):
            some = range(first, min(first + a_commit, messages))
            with file:
                file.executemany("UPDATE outbox SET state = 'sent' WHERE number = ?", [(n,) for n in done])
                file.executemany("UPDATE outbox SET state = 'sending' WHERE number = ?", [(n,) for n in some])
            done = list(threads.map(hand_over, some))
    file.close()
    return messages / (time.monotonic() - began)


def measured(recipients: int, by: str) -> dict[str, object]:
    with TemporaryDirectory(prefix="hark-bench-") as folder, sink() as sinks:
        data = Path(folder) / "data"
        data.mkdir()
        queued(data, recipients, by, sinks)
        found = handed(data)
        bare = skeleton(Path(folder), recipients, max(1, round(found["a_commit"])), by, sinks)
    return {
        "recipients": recipients,
        **found,
        "skeleton_per_s": round(bare),
        "ratio": round(found["per_s"] / bare, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, nargs="+", default=SIZES)
    parser.add_argument("--by", choices=list(SENDERS), default="smtp")
    given = parser.parse_args()
    for recipients in given.recipients:
        print(json.dumps({"by": given.by, **measured(recipients, given.by), "bar": 1_000}), flush=True)


if __name__ == "__main__":
    main()

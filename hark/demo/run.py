"""The demo: sixty days of a simulated shop through the real server, and the lift beside the truth."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hark.app import Workspace
from hark.clock import SharedClock, WallClock
from hark.definitions import parse, plan
from hark.demo import show
from hark.demo.drive import Driver
from hark.demo.life import DAYS, START
from hark.demo.server import DemoServer
from hark.demo.shop import CUSTOMERS, Shop, Truth, truth_of
from hark.errors import HarkError
from hark.learn.compare import Interval
from hark.learn.report import Arm, Report, report
from hark.model import DAY, HOUR, JSON, SECOND
from hark.questions import ask
from hark.speak.catcher import Catcher
from hark.store.locks import claim, hold

CAMPAIGN = "come_back"
SPEAKING, LISTENING = (Path(__file__).parent / name for name in ("shop.yaml", "listening.yaml"))
"""What stands from the first day on, and what is asked once the days are over and somebody may look."""
STEP_US = 12 * HOUR
"""How far the clock goes at once; no further than `life.REST_US`."""
ARRIVAL_S = 5.0
"""Between two new customers, once the clock runs in real time."""
JOINING_US = 31 * SECOND
"""From somebody's first page to the first visit: so announced, nothing that they do lies in the past."""
PAUSE_S = 0.25
SETTINGS = """\
# Days pass in seconds here: by its usual age (ten minutes) the history would be sealed at every step.
seal_age_s = 864000.0
# The mail server of the demo is this machine.
outbound_allow = ["127.0.0.1"]
"""
STEPS = ["Product Viewed", "Product Added", "Checkout Started", "Order Completed"]
QUESTIONS: dict[str, JSON] = {
    "funnel": {"funnel": {"steps": STEPS, "within": "7d"}},
    "retention": {"retention": {"start": "Signed Up", "return": "Product Viewed", "period": "week"}},
}


class DemoResult(Struct, frozen=True):
    """What the demo found, beside what is true."""

    funnel: JSON
    retention: JSON
    lift: Interval
    """As Hark measured it."""
    planted: float
    """As the simulator knows it: everybody treated less nobody treated, the same people."""
    seconds: float
    """For all the days, starting the server included."""
    seed: int
    customers: int
    events: int
    mails: int
    truth: Truth
    arms: tuple[Arm, ...]
    sample_ratio_p: float | None
    sentences: tuple[str, ...]


def demo(
    data: Path | None,
    *,
    customers: int | None = None,
    seed: int = 1,
    once: bool = False,
    port: int = 0,
    quiet: bool = False,
    done: Callable[[DemoResult], None] | None = None,
) -> DemoResult:
    """Live through the days and print what came out (unless `quiet`); without `once` then go on serving.

    `data`: an empty or new directory; None: a temporary one, gone at the end. `done` is told the result
    before the serving goes on. Raises HarkError `demo.not-empty`, or what the server raises.
    """
    began = time.monotonic()
    with _ending_in_order(), _directory(data) as path, ExitStack() as stack:
        clock_path = path / "run" / "clock"
        clock = _world(path, clock_path)
        server = stack.enter_context(DemoServer(path, port, clock_path))
        driver = _driver(server, clock, Shop(seed, customers or CUSTOMERS), stack)
        _days(driver, quiet)
        result = _result(server, clock, driver, seed, time.monotonic() - began)
        if not quiet:
            show.result(result)
        if not once:
            _go_on(server, clock, driver, result, quiet, done)
    return result


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: server stopped, temporary directory gone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    if data is None:
        path = Path(tempfile.mkdtemp(prefix="hark-demo-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
        return
    if data.exists() and any(data.iterdir()):
        hint = "the demo makes a world of its own: give it a new directory, or none"
        raise HarkError(f"{data} is not empty", hint, "demo.not-empty")
    yield data


def _world(data: Path, clock_path: Path) -> SharedClock:
    """The data directory, its settings, and a clock that stands at the first day."""
    claim(data)
    hold(data, "collect").release()
    (data / "hark.toml").write_text(SETTINGS)
    clock = SharedClock(clock_path, create=True)
    clock.set(START)
    return clock


def _driver(server: DemoServer, clock: SharedClock, shop: Shop, stack: ExitStack) -> Driver:
    """A source, the definitions, and a mail server that gives the mails to the shop."""
    workspace = Workspace(server.data, clock)
    driver = Driver(server, clock, shop, workspace.add_source("shop").write_key)
    stack.callback(driver.close)
    catcher = stack.enter_context(Catcher(driver.caught))
    texts = [(SPEAKING.name, SPEAKING.read_text()), ("sender", sender(catcher.port))]
    _apply(workspace, texts, "the shop's first campaign")
    return driver


def _apply(workspace: Workspace, texts: list[tuple[str, str]], note: str) -> None:
    wanted = parse.read(texts, workspace.state().documents(), workspace.settings.zone)
    workspace.command(plan.command(wanted, author="demo", note=note))


def sender(port: int) -> str:
    """The sender's document: a mail server on this machine."""
    return (
        'sender: shop\naddress: "The Corner Shop <hello@shop.example>"\n'
        f"host: 127.0.0.1\nport: {port}\nrate_per_s: 10000\n"
    )


def _days(driver: Driver, quiet: bool) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("day {task.completed:.0f} of {task.total:.0f}"),
        TimeElapsedColumn(),
    )
    steps = DAYS * DAY // STEP_US
    with Progress(*columns, console=show.console, disable=quiet) as progress:
        task = progress.add_task("a shop's first two months", total=DAYS)
        for number in range(1, steps + 1):
            driver.step(START + number * STEP_US)
            progress.update(task, completed=number * DAYS / steps)


def _result(server: DemoServer, clock: SharedClock, driver: Driver, seed: int, seconds: float) -> DemoResult:
    workspace, customers = Workspace(server.data, clock), list(driver.shop.customers.values())
    versions = workspace.state().versions("campaign", CAMPAIGN)
    found: Report = report(workspace.snapshot(), versions, clock.now())
    known = truth_of(customers)
    if found.lift is None:
        raise HarkError("nobody entered the campaign", "give it more --customers", "demo.nobody")
    return DemoResult(
        funnel=ask(server.data, QUESTIONS["funnel"], clock),
        retention=ask(server.data, QUESTIONS["retention"], clock),
        lift=found.lift,
        planted=known.lift,
        seconds=round(seconds, 2),
        seed=seed,
        customers=len(customers),
        events=driver.events,
        mails=driver.mails,
        truth=known,
        arms=found.arms,
        sample_ratio_p=found.sample_ratio.p,
        sentences=found.sentences,
    )


def _go_on(
    server: DemoServer,
    clock: SharedClock,
    driver: Driver,
    result: DemoResult,
    quiet: bool,
    done: Callable[[DemoResult], None] | None,
) -> None:
    """Serve in real time, with a new customer now and then, until SIGINT or SIGTERM."""
    _apply(Workspace(server.data, clock), [(LISTENING.name, LISTENING.read_text())], "what we want to know")
    if done:
        done(result)
    if not quiet:
        show.address(server.address.url, server.said("first account"))
    wall = WallClock()
    behind, next_arrival = wall.now() - clock.now(), clock.now()
    try:
        while True:
            now = wall.now() - behind
            if now >= next_arrival:
                driver.shop.arrives(now + JOINING_US)
                next_arrival = now + int(ARRIVAL_S * SECOND)
            driver.flow(now)
            time.sleep(PAUSE_S)
    except KeyboardInterrupt:
        return

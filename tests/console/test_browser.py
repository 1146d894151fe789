"""What only a browser can show: charts are drawn, nothing breaks the policy, pages fit narrow screens."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By

from hark.clock import SetClock
from hark.engine import Engine
from hark.model import Lane
from hark.store.contracts import NewRow
from hark.store.log import LogStore
from tests.cast import eventually
from tests.console.collector import Collector
from tests.console.conftest import EMAIL, PASSWORD
from tests.console.shop import END, PEOPLE, batch, call
from tests.console.test_pages import MORE_PAGES, PAGES

pytestmark = [pytest.mark.xdist_group("console"), pytest.mark.browser]

NARROW, WIDE = 390, 1440
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture(scope="module")
def address(application: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, Server, Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(address: str) -> Iterator[webdriver.Chrome]:
    """Chromium, with Ann signed in by the form."""
    if not Path(CHROMIUM).exists() or not Path(DRIVER).exists():
        pytest.skip(f"needs Chromium ({CHROMIUM} and {DRIVER}); on Debian: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    with webdriver.Chrome(options=options, service=Service(DRIVER)) as found:
        found.get(address + "/sign-in")
        found.find_element(By.NAME, "username").send_keys(EMAIL)
        found.find_element(By.NAME, "password").send_keys(PASSWORD)
        found.find_element(By.TAG_NAME, "button").click()
        eventually(lambda: found.current_url == address + "/", what="signed in")
        yield found


def screen(browser: webdriver.Chrome, width: int, scheme: str = "light") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})


OVERTAKEN = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx writes into the log of a request that a newer one has replaced, as is meant where somebody types.
One that failed is logged as `htmx:sendError` or `htmx:responseError` besides."""


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the browser found wrong since it was asked last."""
    found: list[dict[str, Any]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    said = [str(one["message"]) for one in found if one["level"] == "SEVERE"]
    return [one for one in said if not any(name in one for name in OVERTAKEN)]


def test_pages_fit_a_narrow_screen_and_keep_their_own_policy(browser: webdriver.Chrome, address: str) -> None:
    """At 390 px no page is wider than the screen, and no page does what its security policy refuses."""
    screen(browser, NARROW)
    complaints(browser)
    for path in PAGES + MORE_PAGES:
        browser.get(address + path)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= NARROW, path
        assert complaints(browser) == [], path


def test_charts_are_drawn_in_the_colours_of_the_scheme(browser: webdriver.Chrome, address: str) -> None:
    """The lift's mark has the light accent in the light scheme and follows a change to the dark one."""
    screen(browser, WIDE)
    browser.get(address + "/campaigns/come_back")
    eventually(lambda: mark(browser) == "rgb(49, 80, 212)", what="the mark in the light accent")
    screen(browser, WIDE, "dark")
    eventually(lambda: mark(browser) == "rgb(147, 169, 255)", what="the mark in the dark accent")
    assert complaints(browser) == []


def mark(browser: webdriver.Chrome) -> str:
    script = (
        "const one = document.querySelector('.scatterlayer .point'); return one && getComputedStyle(one).fill"
    )
    return str(browser.execute_script(script))


def test_from_a_drop_to_a_draft_in_two_clicks(
    browser: webdriver.Chrome, address: str, collector: Collector
) -> None:
    """A click on a funnel's pale bar shows the people, a click on the button hands over segment and draft."""
    screen(browser, WIDE)
    complaints(browser)
    browser.get(address + "/funnel?steps=Signed+Up%0AOrder+Completed%0AOrder+Completed&within=12d")
    eventually(lambda: browser.find_elements(By.CSS_SELECTOR, "#funnel .trace.bars .point"), what="the bars")
    pale = browser.execute_script(
        "const drawn = document.querySelectorAll('#funnel .trace.bars')[1].querySelectorAll('.point');"
        "const box = drawn[2].getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]"
    )
    actions = ActionBuilder(browser)
    actions.pointer_action.move_to_location(*map(int, pale)).click()  # type: ignore[no-untyped-call]
    actions.perform()
    eventually(lambda: "/funnel/stopped" in browser.current_url, what="the people who stopped")
    assert "stopped after Order Completed" in browser.find_element(By.TAG_NAME, "h1").text
    browser.find_element(By.CSS_SELECTOR, "button[value=campaign]").click()
    eventually(lambda: collector.rows, what="the documents")
    kinds = [one["kind"] for one in collector.rows[0]["body"]["documents"]]
    assert kinds == ["segment", "template", "campaign"]
    assert complaints(browser) == []


def shown(browser: webdriver.Chrome) -> str:
    """What stands beside the text now, read at once: it may be put anew at any moment."""
    return str(browser.execute_script("return document.getElementById('shown').innerText"))


def test_an_edit_is_looked_at_while_it_is_written(browser: webdriver.Chrome, address: str) -> None:
    """What saving would change, and who would come, stands beside the text without a click."""
    screen(browser, WIDE)
    browser.get(address + "/definitions/segment/gone_quiet")
    eventually(lambda: "Nothing would change" in shown(browser), what="a look")
    text = browser.find_element(By.ID, "text")
    text.clear()
    text.send_keys("segment: gone_quiet\nwhere: {did: Order Completed}\n")
    eventually(lambda: "version 2" in shown(browser), what="who would come")
    assert f"+{PEOPLE - 100}" in shown(browser)
    assert complaints(browser) == []


def test_live_shows_an_event_when_it_arrives(
    browser: webdriver.Chrome, address: str, shop: Path, tmp_path: Path
) -> None:
    """An event that the engine folds while the page is open appears in it, without a click."""
    from django.conf import settings

    from hark.console.source import Source

    data, before = tmp_path / "shop", settings.HARK_SOURCE
    shutil.copytree(shop, data, ignore=shutil.ignore_patterns("run"))
    clock = SetClock(END)
    settings.HARK_SOURCE = Source(data, clock, address)
    try:
        browser.get(address + "/live?name=Kettle")
        assert "No such event" in browser.find_element(By.ID, "rows").text
        with LogStore(data / "log") as log:
            calls = [call("track", 1, END, event="Kettle Boiled", properties={"litres": 2})]
            log.append([NewRow(Lane.LIVE, END + 1, "shop", "batch", batch(END, calls))])
        clock.at = END + 2
        Engine(data, clock).catch_up()
        eventually(lambda: "Kettle Boiled" in browser.find_element(By.ID, "rows").text, what="the new event")
        assert complaints(browser) == []
    finally:
        settings.HARK_SOURCE = before


def test_the_keyboard_comes_first_to_the_page(browser: webdriver.Chrome, address: str) -> None:
    """The first stop of the tab key is a link that skips the navigation."""
    screen(browser, WIDE)
    browser.get(address + "/segments")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("\ue004")
    assert browser.switch_to.active_element.text == "Skip to the page"

"""`hark.js` in a real browser: a reader, a skimmer, a background tab, a robot, and people who said no.

The page's clock runs faster than the wall's, so that minutes of reading take seconds here.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from hark.collect.client import in_app, in_app_module, module, script, worker
from tests.cast import eventually
from tests.clients.running import NODE, node
from tests.collect.conftest import serving
from tests.collect.runner import Collect

pytestmark = [pytest.mark.xdist_group("reading"), pytest.mark.browser]

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--window-size=800,600",
]  # fmt: skip
PERSON = [
    "--disable-blink-features=AutomationControlled",
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
]
FASTER = 4
ANSWERS = ("no", "yes")
WORDS = 80
PAGE = """<!doctype html><meta charset="utf-8"><title>A text</title>
<style>article {{ font: 20px/5 monospace; width: 500px }}</style>
<script>const real = performance.now.bind(performance); performance.now = () => {faster} * real();
{before}</script>
<article data-hark-content="first-text">{text}</article>
<button data-hark-worth="yes">Yes</button><button data-hark-worth="no">No</button>
<script src="{url}/hark.js" {tag}></script><script>{after}</script>"""


class Pages:
    """The team's own site, on another origin than Hark."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        pages = self.pages

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                kind = "text/javascript" if self.path.endswith(".js") else "text/html"
                self.send_header("content-type", kind)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Site:
    """A browser, the team's pages, and the collector that gets what they send."""

    def __init__(self, browser: webdriver.Chrome, collect: Collect, pages: Pages) -> None:
        self.browser, self.collect, self.pages, self._number = browser, collect, pages, 0

    def opens(self, before: str = "", after: str = "", tag: str = 'data-key="wk_web"') -> str:
        """A page with a text of its own, opened; the name that its events carry."""
        self._number += 1
        name = f"text-{id(self.browser)}-{self._number}"
        text = " ".join(f"word{number}" for number in range(WORDS))
        page = PAGE.format(
            faster=FASTER, before=before, after=after, text=text, url=self.collect.url, tag=tag
        )
        self.pages.pages[f"/{name}"] = page.replace("first-text", name)
        self.browser.get(f"{self.pages.url}/{name}")
        return name

    def scrolls(self, steps: int, pause_s: float) -> None:
        """From the top to the end in so many steps."""
        for step in range(steps + 1):
            self.browser.execute_script(
                "scrollTo(0, document.documentElement.scrollHeight * arguments[0])", step / steps
            )
            self.passes(pause_s)

    def passes(self, seconds: float) -> None:
        """Time passes in the page."""
        until = "const end = Date.now() + arguments[0] * 1000, done = arguments[1];"
        self.browser.execute_async_script(
            until + "(function look() { Date.now() < end ? setTimeout(look, 50) : done(); })()", seconds
        )

    def leaves(self) -> None:
        self.browser.get("about:blank")

    def events(self, name: str) -> list[tuple[str, Any]]:
        """(event, properties) that came of this text."""
        found = []
        for row in self.collect.rows():
            call = msgspec.json.decode(row.body)
            if call.get("properties", {}).get("content") == name:
                found.append((call["event"], call["properties"]))
        return found

    def names(self, name: str) -> list[str]:
        return [event for event, _ in self.events(name)]


@pytest.fixture(scope="module")
def collect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    with serving(tmp_path_factory.mktemp("reading") / "data") as running:
        yield running


@contextlib.contextmanager
def chromium(*flags: str) -> Iterator[webdriver.Chrome]:
    if not Path(CHROMIUM).exists() or not Path(DRIVER).exists():
        pytest.skip(f"needs Chromium ({CHROMIUM} and {DRIVER}); on Debian: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, *flags):
        options.add_argument(flag)
    with webdriver.Chrome(options=options, service=Service(DRIVER)) as found:
        yield found


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    made = Pages()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(collect: Collect, pages: Pages) -> Iterator[Site]:
    """The browser of a person."""
    with chromium(*PERSON) as browser:
        yield Site(browser, collect, pages)


def test_a_reader_is_told_once_with_the_time(site: Site) -> None:
    """Who goes down at the pace of reading sends Content Read once, and Time Spent when leaving."""
    name = site.opens()
    site.scrolls(12, 0.5)
    site.scrolls(2, 0.1)
    eventually(lambda: site.names(name) == ["Content Read"], what="the text counts as read")
    site.leaves()
    eventually(lambda: len(site.events(name)) == 2, what="the time is told")
    (_, read), (spent_name, spent) = site.events(name)
    assert spent_name == "Time Spent"
    assert read["words"] == WORDS
    assert read["share_read"] >= 0.75
    assert read["active_s"] >= 0.4 * 0.75 * WORDS / 238 * 60
    assert spent["active_s"] >= read["active_s"]
    assert spent["depth"] == 1


def test_read_again_in_the_same_visit_is_not_read_twice(site: Site) -> None:
    """A reload of the page counts its time, and no second reading."""
    name = site.opens()
    site.scrolls(12, 0.5)
    eventually(lambda: "Content Read" in site.names(name), what="the text counts as read")
    site.browser.refresh()
    site.scrolls(12, 0.5)
    site.leaves()
    eventually(lambda: site.names(name).count("Time Spent") == 2, what="both visits tell their time")
    assert site.names(name).count("Content Read") == 1


def test_a_skimmer_has_not_read(site: Site) -> None:
    """Who dashes to the end and stays there as long as a reader takes has seen all of it and read the end."""
    name = site.opens()
    site.scrolls(4, 0.1)
    site.passes(6)
    site.leaves()
    eventually(lambda: site.names(name), what="the time is told")
    ((event, spent),) = site.events(name)
    assert event == "Time Spent"
    assert spent["depth"] == 1
    assert spent["share_read"] < 0.75


def test_a_tab_in_the_background_counts_nothing(site: Site) -> None:
    """While another tab is in front neither time nor reading goes on."""
    name = site.opens()
    first = site.browser.current_window_handle
    site.browser.switch_to.new_window("tab")
    site.passes(3)
    site.browser.close()
    site.browser.switch_to.window(first)
    site.leaves()
    site.opens()  # so that what was sent before would have arrived
    assert "Content Read" not in site.names(name)
    assert sum(spent["visible_s"] for _, spent in site.events(name)) < 3 * FASTER


@pytest.mark.parametrize(
    "before",
    [
        "Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'});",
        "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true});",
    ],
    ids=["do-not-track", "global-privacy-control"],
)
def test_who_asks_not_to_be_tracked_is_not(site: Site, before: str) -> None:
    """Nothing is sent, nothing is kept in the browser."""
    name = site.opens("localStorage.clear(); sessionStorage.clear();" + before)
    site.scrolls(4, 0.5)
    assert site.browser.execute_script("return localStorage.length") == 0
    site.leaves()
    site.opens()
    assert site.names(name) == []


def test_consent_is_waited_for_and_can_be_taken_back(site: Site) -> None:
    """With data-consent="ask" nothing is measured before the yes, and nothing after the no."""
    ask = 'data-key="wk_web" data-consent="ask"'
    name = site.opens(tag=ask)
    site.scrolls(6, 0.5)
    site.browser.execute_script("window.hark.consent(true)")
    site.passes(0.5)
    site.browser.execute_script("window.hark.consent(false)")
    site.scrolls(12, 0.3)
    site.leaves()
    site.opens()
    assert site.names(name) == []


def test_one_click_says_whether_it_was_worth_it(site: Site) -> None:
    """The first of the two buttons counts, once."""
    name = site.opens()
    no, yes = (
        site.browser.find_element(By.CSS_SELECTOR, f"[data-hark-worth={one}]") for one in ("no", "yes")
    )
    site.browser.execute_script("arguments[0].click(); arguments[1].click(); arguments[0].click()", no, yes)
    eventually(lambda: site.names(name), what="the answer arrives")
    ((event, said),) = site.events(name)
    assert (event, said["worth"]) == ("Worth It", False)


def test_beside_segments_client_it_speaks_by_it(site: Site) -> None:
    """As a plugin it is loaded by `analytics.register`, tracks by it and begins anew with each page."""
    client = """
      window.tracked = []; const analytics = {track: (name, said) => tracked.push([name, said])};
      const plugin = harkPlugin(); plugin.load({}, analytics).then(() => { plugin.page({event: 'page'}); });
    """
    name = site.opens(tag="", after=client)
    site.scrolls(12, 0.5)
    eventually(lambda: site.browser.execute_script("return tracked.length"), what="the client is told")
    ((event, said),) = site.browser.execute_script("return tracked")
    assert (event, said["content"]) == ("Content Read", name)
    site.leaves()
    site.opens()
    assert site.names(name) == [], "nothing goes past the client"


def test_segments_own_client_tells_also_of_the_page_that_is_left(site: Site) -> None:
    """The published client beside it: the reading and the time spent arrive, once each, though the page that
    told them is gone, and they are the visitor's. Requests of a page that is being left come to nothing here,
    as they may anywhere."""
    node()
    bundle = NODE / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd" / "index.js"
    site.pages.pages["/segment.js"] = bundle.read_text()
    load = f"AnalyticsNext.AnalyticsBrowser.load({{writeKey: 'wk_web', cdnURL: '{site.collect.url}'}})"
    client = f"const analytics = {load}; analytics.register(harkPlugin()); analytics.page();"
    dropped = "(...all) => document.visibilityState === 'visible' ? go(...all) : new Promise(() => {})"
    leaving = f"const go = fetch.bind(window); window.fetch = {dropped};"
    before = f'{leaving}</script><script src="/segment.js"></script><script>'
    name = site.opens(before, client, tag="")
    site.scrolls(12, 0.5)
    eventually(lambda: site.names(name) == ["Content Read"], what="what was read")
    site.opens(before, client, tag="")
    both = ["Content Read", "Time Spent"]
    eventually(lambda: sorted(set(site.names(name))) == both, what="how long it took")
    calls = [msgspec.json.decode(row.body) for row in site.collect.rows()]
    mine = [one for one in calls if one.get("properties", {}).get("content") == name]
    assert len({one["messageId"] for one in mine}) == 2
    assert len({one["anonymousId"] for one in mine}) == 1


def test_as_a_module_it_measures_too(site: Site) -> None:
    """Imported from Hark's own address by a page of another origin."""
    url = site.collect.url
    told = f"hark({{key: 'wk_web', host: '{url}'}})"
    module = f'</script><script type="module">import {{ hark }} from "{url}/hark.mjs"; {told};'
    name = site.opens(after=module, tag="")
    site.scrolls(12, 0.5)
    eventually(lambda: site.names(name) == ["Content Read"], what="what was read")


def test_it_knows_whom_segments_client_knows(site: Site) -> None:
    """The same ids in the browser's storage: one person, not two."""
    site.opens(before="localStorage.ajs_user_id = '\"ada\"'; localStorage.ajs_anonymous_id = '\"v1\"'")
    site.browser.find_element(By.CSS_SELECTOR, "[data-hark-worth=yes]").click()
    calls = eventually(
        lambda: [call for row in site.collect.rows() if (call := msgspec.json.decode(row.body)).get("userId")]
    )
    assert (calls[0]["userId"], calls[0]["anonymousId"]) == ("ada", "v1")


def test_a_robot_reads_nothing(collect: Collect, pages: Pages) -> None:
    """An automated browser sends nothing, however slowly it goes."""
    with chromium() as browser:
        robot = Site(browser, collect, pages)
        name = robot.opens()
        robot.scrolls(6, 0.5)
        robot.leaves()
        robot.opens()
        assert robot.names(name) == []


def test_it_is_small_and_kept_by_browsers(collect: Collect) -> None:
    """At most 4 KB packed (6 for messages), for pages of any origin, and 304 to who has it."""
    files = {"/hark.js": script(), "/hark.mjs": module()}
    files |= {"/hark-in-app.js": in_app(), "/hark-in-app.mjs": in_app_module(), "/hark-sw.js": worker()}
    for path, file in files.items():
        answer = httpx.get(
            collect.url + path, headers={"accept-encoding": "gzip"}, trust_env=False, verify=False
        )
        assert (answer.status_code, answer.content) == (200, file.plain)
        assert len(file.packed) <= (6144 if "in-app" in path else 4096)
        assert gzip.decompress(file.packed) == file.plain
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "max-age" in answer.headers["cache-control"]
        again = httpx.get(
            collect.url + path,
            headers={"if-none-match": answer.headers["etag"]},
            trust_env=False,
            verify=False,
        )
        assert (again.status_code, again.content) == (304, b"")
        plain = httpx.get(
            collect.url + path, headers={"accept-encoding": "identity"}, trust_env=False, verify=False
        )
        assert "content-encoding" not in plain.headers


def test_a_push_is_shown_and_replaces_itself(collect: Collect, pages: Pages) -> None:
    """The product's service worker with ours in it shows what is pushed, once however often it comes."""
    pages.pages["/hark-sw.js"] = f'importScripts("{collect.url}/hark-sw.js");'
    pages.pages["/push"] = "<!doctype html><title>Push</title>"
    said = '{"message": "m1", "title": "New for Ada", "body": "Shoes came.", "url": "/shoes"}'
    with chromium(*PERSON) as browser:
        grant = {"origin": pages.url, "permissions": ["notifications"]}
        browser.execute_cdp_cmd("Browser.grantPermissions", grant)
        browser.get(pages.url + "/push")
        browser.execute_async_script(
            "const done = arguments[0]; navigator.serviceWorker.register('/hark-sw.js')"
            ".then(() => navigator.serviceWorker.ready).then(() => done(), (error) => done(String(error)))"
        )
        browser.execute_cdp_cmd("ServiceWorker.enable", {})
        for _ in range(2):
            pushed = {"origin": pages.url, "registrationId": "0", "data": said}
            browser.execute_cdp_cmd("ServiceWorker.deliverPushMessage", pushed)
        look = (
            "const done = arguments[0]; navigator.serviceWorker.ready.then((one) => one.getNotifications())"
            ".then((all) => done(all.map((one) => [one.title, one.body, one.tag, one.data.url])))"
        )
        eventually(lambda: browser.execute_async_script(look), what="a notification")
        assert browser.execute_async_script(look) == [["New for Ada", "Shoes came.", "m1", "/shoes"]]

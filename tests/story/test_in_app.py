"""A message in the product, from the campaign to a customer's two browsers and back into the history."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from hark.history import columns
from hark.store.state import open_reader
from tests.cast import eventually, hark, serving
from tests.console.test_inbox import SAYS
from tests.reading.test_reading import PERSON, Pages, chromium

pytestmark = [pytest.mark.xdist_group("console-server"), pytest.mark.browser]

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The shop</title><header id="inbox"></header><h1>The shop</h1>
<script src="{url}/hark-in-app.js"></script><script>
window.hark = harkInApp({{ host: "{url}", token: async () => "{token}", inbox: "#inbox" }});
</script>"""


def token(key: str) -> str:
    claims = {"sub": "ada", "exp": int(time.time()) + 600, "aud": "hark"}
    return jwt.encode(claims, hashlib.sha256(key.encode()).hexdigest(), "HS256")


def inside(browser: webdriver.Chrome, selector: str) -> Any:
    """The first element within the shadow roots that fits and is seen; None for none."""
    return browser.execute_script(
        "const roots = [...document.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);"
        "const found = roots.flatMap((one) => [...one.querySelectorAll(arguments[0])]);"
        "return found.find((one) => one.checkVisibility()) || null",
        selector,
    )


def told(data: Path, event: str) -> bool:
    """Whether the customer's history has the event."""
    chunks = open_reader(data).recent(0)
    return any(one.name == event for chunk in chunks for one in columns.decode(chunk))


def test_a_banner_and_an_inbox_in_two_windows(tmp_path: Path) -> None:
    """A banner comes by itself to a page of another origin, as a status for screen readers, and to no second
    window; the inbox opens by keyboard and closes by Escape; what is put away is away everywhere."""
    pages = Pages()
    with serving(tmp_path) as server, chromium(*PERSON) as browser:
        key = hark(tmp_path, "source", "add", "shop")
        definitions = tmp_path / "in_app.yaml"
        definitions.write_text(SAYS)
        hark(tmp_path, "apply", str(definitions))
        who = {"userId": "ada", "traits": {"first_name": "Ada"}, "messageId": "m1"}
        server.post("/v1/identify", who, key["write_key"])
        pages.pages["/"] = PAGE.format(url=server.url, token=token(key["secret_key"]))
        browser.get(pages.url)
        eventually(lambda: inside(browser, ".bell"), what="the inbox's button")
        arrived = {"userId": "ada", "event": "Arrived", "properties": {"what": "Shoes"}, "messageId": "m2"}
        server.post("/v1/track", arrived, key["write_key"])
        banner = eventually(lambda: inside(browser, "section[role=status]"), what="the banner, by itself")
        assert "New for Ada" in banner.text and "Shoes <b>came</b>." in banner.text
        assert inside(browser, "section a").get_attribute("href") == pages.url + "/shop/shoes"
        assert inside(browser, ".bell").get_attribute("aria-label") == "Messages, 1 new"
        eventually(lambda: told(tmp_path, "Message Shown"), what="that it was shown is kept")

        first = browser.current_window_handle
        browser.switch_to.new_window("window")
        browser.get(pages.url)
        bell = eventually(lambda: inside(browser, ".bell b") and inside(browser, ".bell"), what="one new")
        assert inside(browser, "section[role=status]") is None
        bell.send_keys(Keys.ENTER)
        eventually(lambda: inside(browser, "dialog[open] li"), what="the inbox")
        eventually(lambda: told(tmp_path, "Message Opened"), what="that it was opened is kept")
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        eventually(lambda: inside(browser, "dialog[open]") is None, what="closed by Escape")
        inside(browser, ".bell").click()
        inside(browser, "dialog li .x").click()
        eventually(lambda: inside(browser, "dialog .none"), what="put away")

        browser.switch_to.window(first)
        eventually(lambda: inside(browser, "section[role=status]") is None, what="and in the first window")
        assert inside(browser, ".bell").get_attribute("aria-label") == "Messages"
        assert told(tmp_path, "Message Dismissed")
    pages.close()

"""A campaign written by a person in Chromium, by the form alone."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.cast import eventually
from tests.console.collector import Collector
from tests.console.test_browser import NARROW, WIDE, address, browser, complaints, screen

__all__ = ["address", "browser"]

pytestmark = [pytest.mark.xdist_group("console"), pytest.mark.browser]


def fill(browser: webdriver.Chrome, name: str, text: str) -> None:
    """Types in the field, once the form has it."""
    eventually(lambda: browser.find_elements(By.NAME, name), what=name)
    field = browser.find_element(By.NAME, name)
    field.clear()
    field.send_keys(text)


def choose(browser: webdriver.Chrome, name: str, value: str) -> None:
    """Chooses, and waits for the form that comes of it."""
    Select(browser.find_element(By.NAME, name)).select_by_value(value)


def press(browser: webdriver.Chrome, do: str) -> None:
    """A click, and the form that comes of it."""
    button = browser.find_element(By.CSS_SELECTOR, f"button[value='{do}']")
    browser.execute_script("arguments[0].dataset.pressed = 1; arguments[0].click()", button)
    eventually(lambda: not browser.find_elements(By.CSS_SELECTOR, "[data-pressed]"), what="the next form")


def words(browser: webdriver.Chrome, place: str) -> str:
    """What stands there now, read at once: the place may be put anew at any moment."""
    return str(browser.execute_script("return document.getElementById(arguments[0]).innerText", place))


def wrong(browser: webdriver.Chrome, name: str) -> str:
    """What is told at a field."""
    return words(browser, f"wrong-{name}")


def yaml_of(browser: webdriver.Chrome) -> str:
    return str(browser.execute_script("return document.getElementById('text').value"))


def test_a_basket_campaign_is_built_by_the_form(
    browser: webdriver.Chrome, address: str, collector: Collector
) -> None:
    """Every field, a step that waits put first, the audience counted, an error at its field; the saved
    document is what was asked for."""
    screen(browser, WIDE)
    complaints(browser)
    browser.get(address + "/definitions/new/campaign")
    press(browser, "add:wait:/steps")
    press(browser, "up::/steps/1")
    fill(browser, "/campaign", "basket")
    fill(browser, "/hypothesis", "Who is reminded of a basket buys it.")
    choose(browser, "/trigger#kind", "event")
    fill(browser, "/trigger/event", "Basket Filled")
    fill(browser, "/key", "event.basket_id")
    choose(browser, "/audience#kind", "in_segment")
    fill(browser, "/audience/in_segment", "gone_quiet")
    fill(browser, "/goal/event", "Order Completed")
    fill(browser, "/goal/within", "soon")
    fill(browser, "/control", "20%")
    fill(browser, "/steps/0/wait/for", "4h")
    eventually(lambda: wrong(browser, "/goal/within"), what="the error at its field")
    assert "text:" in words(browser, "shown")
    fill(browser, "/goal/within", "3d")
    eventually(lambda: "of all customers" in words(browser, "shown"), what="the audience")
    assert not wrong(browser, "/goal/within")
    assert browser.find_elements(By.CSS_SELECTOR, "#shown svg.journey")
    assert "within: 3d" in yaml_of(browser)
    browser.find_element(By.CSS_SELECTOR, "button[value=try]").click()
    eventually(lambda: "Nobody would have entered" in words(browser, "trial"), what="its back-test")
    assert "left alone by at least one campaign" in words(browser, "trial")
    fill(browser, "note", "first try")
    assert complaints(browser) == []
    press(browser, "save")
    eventually(lambda: collector.rows, what="the document")
    body = collector.rows[0]["body"]
    assert body["note"] == "first try"
    found = body["documents"][0]["body"]
    assert found == found | {
        "hypothesis": "Who is reminded of a basket buys it.",
        "trigger": {"event": "Basket Filled"},
        "key": "event.basket_id",
        "audience": {"in_segment": "gone_quiet"},
        "goal": {"event": "Order Completed", "within": "3d", "value": "revenue"},
        "control": "20%",
        "topic": "news",
        "steps": [{"wait": {"for": "4h"}}, {"send": {"channel": "email", "template": "whats_new"}}],
    }


def test_the_form_follows_the_yaml_on_any_screen(browser: webdriver.Chrome, address: str) -> None:
    """What is typed as YAML is in the fields without a click, and the page fits a narrow screen."""
    screen(browser, NARROW)
    browser.get(address + "/definitions/campaign/come_back")
    text = browser.find_element(By.ID, "text")
    text.send_keys("planned: 3\n")
    eventually(lambda: "planned" in words(browser, "fields"), what="what is in the YAML only")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= NARROW
    assert complaints(browser) == []

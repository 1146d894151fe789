"""docs/connect.md: the very lines that it shows are run, and what they say arrives."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from selenium import webdriver

from hark.collect.calls import Call
from hark.model import Kind
from tests.clients.conftest import Proxy, World
from tests.clients.running import NODE, finish, node, start, stored
from tests.data import ROOT
from tests.test_supervisor import wait_for

pytestmark = pytest.mark.xdist_group("clients")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "docs" / "connect.md").read_text())
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>
<script src="/umd/index.js"></script>
<script type="importmap">{"imports": {"@segment/analytics-next": "/bundle.js"}}</script>
<script type="module">
%s
</script></html>
"""


def name(block: tuple[str, str]) -> str:
    kind, lines = block
    library = re.search(r"from ['\"]?([\w@/.-]+)", lines)
    return f"{kind} {library[1] if library else 'curl'}"


def addressed(lines: str, world: World, tls: Proxy) -> str:
    """The lines with an address and keys which are there."""
    keys = world.keys["docs"]
    lines = lines.replace("https://hark.example", world.url)
    lines = lines.replace("hark.example", tls.url.removeprefix("https://"))
    return lines.replace("WRITE_KEY", keys.write_key).replace("SECRET_KEY", keys.secret_key)


def run(kind: str, lines: str, tmp_path: Path, tls: Proxy) -> None:
    if kind == "sh":
        subprocess.run(
            ["sh", "-ec", lines], check=True, timeout=60, env={"PATH": "/usr/bin:/bin", "no_proxy": "*"}
        )
        return
    node()
    folder = tmp_path if kind == "python" else NODE
    program = folder / f"{tmp_path.name}.{'py' if kind == 'python' else 'mjs'}"
    program.write_text(lines)
    try:
        finish(start(program, ca=tls.certificate))
    finally:
        program.unlink()


def newest(world: World, rows: int) -> list[Call]:
    return stored(world.data, "docs", by_row=True)[rows:]


@pytest.mark.parametrize("block", [one for one in BLOCKS if one[0] != "browser"], ids=name)
def test_the_lines_do_it(world: World, tls: Proxy, tmp_path: Path, block: tuple[str, str]) -> None:
    """Five lines at most, and Ada's order is there; from the clients also that she has the plan pro."""
    kind, lines = block
    assert len([line for line in lines.splitlines() if line]) <= 5
    before = len(stored(world.data, "docs", by_row=True))
    run(kind, addressed(lines, world, tls), tmp_path, tls)
    wait_for(lambda: has_ordered(newest(world, before)), "the order is stored")
    assert kind == "sh" or has_plan(newest(world, before))


def test_the_lines_in_a_page(world: World, tls: Proxy, shop: str, browser: webdriver.Chrome) -> None:
    """The same in a browser, where the lines are a module of the page."""
    ((_, lines),) = [one for one in BLOCKS if one[0] == "browser"]
    before = len(stored(world.data, "docs", by_row=True))
    pages = NODE / "pages"
    pages.mkdir(exist_ok=True)
    (pages / "connect.html").write_text(PAGE % addressed(lines, world, tls))
    (pages / "bundle.js").write_text("export const { AnalyticsBrowser } = window.AnalyticsNext\n")
    browser.get(f"{shop}/pages/connect.html")
    wait_for(lambda: has_ordered(newest(world, before)), "the order is stored")
    assert has_plan(newest(world, before))


def test_every_client_is_shown() -> None:
    """The page has lines for each client of the contract, and for none."""
    assert len(BLOCKS) == 9


def has_ordered(calls: list[Call]) -> bool:
    return any(
        call.name == "Order Completed"
        and call.user_id == "ada"
        and msgspec.json.decode(call.properties)["revenue"] == 20
        for call in calls
    )


def has_plan(calls: list[Call]) -> bool:
    return any(
        call.kind is Kind.IDENTIFY and msgspec.json.decode(call.traits).get("plan") == "pro" for call in calls
    )

"""The console's process as the supervisor runs it: on a socket, killed, started again, and its first link."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hark.clock import WallClock
from tests.cast import eventually, with_no_error

pytestmark = pytest.mark.xdist_group("console-server")

URL = "http://hark.example"
ACCOUNT = {"email": "ann@shop.example", "password": "correct horse battery"}


@contextmanager
def console(data: Path) -> Iterator[subprocess.Popen[str]]:
    """The console role in a process of its own, answering."""
    words = [sys.executable, "-m", "hark.role", "console", "--data", str(data), "--url", URL]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        eventually(lambda: answers(data), what="the sign-in page")
        yield process
    finally:
        with_no_error(process.kill)
        process.communicate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a console that runs, without an engine."""
    data = tmp_path_factory.mktemp("console")
    with console(data):
        yield data


def client(data: Path) -> httpx.Client:
    """A browser that keeps its cookies."""
    transport = httpx.HTTPTransport(uds=str(data / "run" / "console.sock"))
    return httpx.Client(transport=transport, base_url=URL, timeout=20, trust_env=False, verify=False)


def answers(data: Path) -> bool:
    try:
        with client(data) as browser:
            return browser.get("/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def form(browser: httpx.Client, path: str) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(path).text)
    assert found
    return {"csrfmiddlewaretoken": found[1]}


def test_the_first_account_is_made_by_a_link_that_works_once(running: Path) -> None:
    """The link stands in a file only its owner reads, makes one account, then is not found.

    As long as no engine has run, that account gets words and 503 from pages, not a failure.
    """
    file = running / "run" / "welcome"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    link = file.read_text().strip()
    assert link.startswith(f"{URL}/welcome/")
    path = link.removeprefix(URL)
    with client(running) as browser:
        weak = browser.post(path, data={**ACCOUNT, "password": "12345678", **form(browser, path)})
        assert "too common" in weak.text
        assert browser.post(path, data={**ACCOUNT, **form(browser, path)}).status_code == 302
        assert browser.get("/sign-in").status_code == 302, "signed in"
        assert browser.get(path).status_code == 404
        page = browser.get("/")
        assert page.status_code == 503
        assert "there is no state" in page.text
    assert not file.exists()
    assert path.rsplit("/", 1)[-1].encode() not in (running / "config.db").read_bytes()


def test_a_killed_console_leaves_nothing_and_starts_again(tmp_path: Path) -> None:
    """kill -9 ends the whole process; the dead socket is replaced, and whoever was signed in still is."""
    with console(tmp_path) as process, client(tmp_path) as browser:
        path = (tmp_path / "run" / "welcome").read_text().strip().removeprefix(URL)
        browser.post(path, data={**ACCOUNT, **form(browser, path)})
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert in_session(process.pid) == [], "no worker of a dead console goes on"
        assert (tmp_path / "run" / "console.sock").is_socket()
        cookies = browser.cookies
    with console(tmp_path), client(tmp_path) as browser:
        browser.cookies = cookies
        assert browser.get("/sign-in").status_code == 302, "already signed in"
        assert not (tmp_path / "run" / "welcome").exists(), "there is an account: no new link"


def in_session(leader: int) -> list[int]:
    """Processes of the session that `leader` led."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            session = int((path / "stat").read_text().rsplit(")", 1)[1].split()[3])
        except OSError:
            continue
        if session == leader:
            found.append(int(path.name))
    return found


def test_it_ends_in_order_when_asked(tmp_path: Path) -> None:
    """SIGTERM ends it with code 0, without a word of panic, and takes the socket away."""
    with console(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not (tmp_path / "run" / "console.sock").exists()


def test_static_files_come_packed_and_stay(running: Path) -> None:
    """The stylesheet, htmx and plotly come from packages, may be kept, and plotly is packed."""
    with client(running) as browser:
        found = re.search(r'href="(/static/\w+/)console/console.css"', browser.get("/sign-in").text)
        assert found
        for name in ("console/console.css", "htmx/htmx-2.min.js", "plotly/plotly.min.js"):
            answer = browser.get(found[1] + name)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert browser.get("/static/../config.db").status_code in (302, 404)


def test_behind_tls_cookies_go_nowhere_without_it(tmp_path: Path) -> None:
    """With a public address of https, sessions and CSRF cookies are marked secure; without, they can't be."""
    from hark.console.config import values

    for url, secure in (("https://hark.example", True), ("http://127.0.0.1:8000", False)):
        found = values(tmp_path, WallClock(), url)
        assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == (secure, secure)

"""One shop and one Django a worker: settings can be given once a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from hark.clock import SetClock
from tests.console.collector import Collector
from tests.console.shop import END, build

if TYPE_CHECKING:
    from django.test import Client

EMAIL, PASSWORD = "ann@shop.example", "correct horse battery"


@pytest.fixture(scope="session")
def clock() -> SetClock:
    return SetClock(END)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's directory after sixty days. Tests don't change it."""
    return build(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def application(shop: Path, clock: SetClock) -> object:
    """The console's WSGI application over the shop, with one account."""
    from hark.console.server import prepare

    made = prepare(shop, clock, "http://testserver")
    from hark.console.accounts.models import Account

    Account.objects.create_user(EMAIL, PASSWORD)
    return made


@pytest.fixture
def stranger(application: object) -> Client:
    """A visitor without an account; CSRF is checked as it is for browsers."""
    from django.test import Client

    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ann(application: object) -> Client:
    """Ann of the team, signed in."""
    from django.test import Client

    from hark.console.accounts.models import Account

    client = Client()
    client.force_login(Account.objects.get(email=EMAIL))
    return client


@pytest.fixture
def collector(shop: Path) -> Iterator[Collector]:
    """A collector's control door on loopback; DIR/run/serve.json points to it."""
    with Collector() as door:
        where = {"url": door.url, "token": door.token, "pid": 1}
        (shop / "run").mkdir(exist_ok=True)
        (shop / "run" / "serve.json").write_bytes(msgspec.json.encode(where))
        yield door
    (shop / "run" / "serve.json").unlink()

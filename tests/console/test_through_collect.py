"""The console where people meet it: behind the public port, beside the real collector and engine."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from hark.speak.keyfile import open_keys
from hark.speak.links import Links, Unsubscribe
from hark.store.state import open_reader
from tests.cast import eventually, hark, serving

pytestmark = pytest.mark.xdist_group("console-server")


def test_an_unsubscribe_through_the_public_port_reaches_the_record(tmp_path: Path) -> None:
    """One post to the link on the public port and the engine's record says "out"; pages are there too."""
    with serving(tmp_path) as server:
        key = hark(tmp_path, "source", "add", "shop")["write_key"]
        call = {"userId": "u1", "traits": {"email": "u1@example.com"}, "messageId": "m1"}
        assert server.post("/v1/identify", call, key).status_code == 200
        reader = open_reader(tmp_path)
        subject = eventually(lambda: reader.find("u1"), what="the customer")
        link = Links(server.url, open_keys(tmp_path)).url(Unsubscribe(subject, "news", "email", "m"))
        page = eventually(lambda: answered(link), what="the link's page")
        assert "Unsubscribe?" in page.text
        assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}, trust_env=False).status_code == 200
        eventually(lambda: consent(tmp_path, subject) == "out", what="the consent")
        away = httpx.get(server.url + "/customers", trust_env=False)
        assert away.headers["Location"] == "/sign-in?next=/customers"


def answered(link: str) -> httpx.Response | None:
    """The page behind a link, once the console is there."""
    found = httpx.get(link, trust_env=False, timeout=10)
    return found if found.status_code == 200 else None


def consent(data: Path, subject: int) -> str:
    record = open_reader(data).record(subject)
    return record.consents["news/email"].state if record and "news/email" in record.consents else ""

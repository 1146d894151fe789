"""The console where people meet it: behind the public port, beside the real collector and engine."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from hark.speak.keyfile import open_keys
from hark.speak.links import Links, Unsubscribe
from hark.store.log import LogReader
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
        assert (
            httpx.post(
                link, data={"List-Unsubscribe": "One-Click"}, trust_env=False, verify=False
            ).status_code
            == 200
        )
        eventually(lambda: consent(tmp_path, subject) == "out", what="the consent")
        away = httpx.get(server.url + "/customers", trust_env=False, verify=False)
        assert away.headers["Location"] == "/sign-in?next=/customers"


MULTIPART = (
    b'--b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n--b0undary--\r\n"
)


def test_mail_programs_and_scanners_meet_the_link_on_the_public_port(tmp_path: Path) -> None:
    """Looking changes nothing, a bare post without cookie, agent or Accept acts, again is 200, forged 404."""
    with serving(tmp_path) as server:
        key = hark(tmp_path, "source", "add", "shop")["write_key"]
        call = {"userId": "u1", "traits": {"email": "u1@example.com"}, "messageId": "m1"}
        assert server.post("/v1/identify", call, key).status_code == 200
        reader = open_reader(tmp_path)
        subject = eventually(lambda: reader.find("u1"), what="the customer")
        link = Links(server.url, open_keys(tmp_path)).url(Unsubscribe(subject, "news", "email", "m"))
        eventually(lambda: answered(link), what="the link's page")
        before = LogReader(tmp_path / "log").end()
        path = link.removeprefix(server.url)
        forged = path[:-1] + ("A" if path[-1] != "A" else "B")
        head, body = bare(server.port, "HEAD", path)
        assert (head.split()[1], body) == (b"200", b"")
        assert bare(server.port, "POST", forged, MULTIPART)[0].split()[1] == b"404"
        assert LogReader(tmp_path / "log").end() == before
        for _ in range(2):
            head, body = bare(server.port, "POST", path, MULTIPART)
            assert head.split()[1] == b"200"
            assert b"set-cookie" not in head.lower()
            assert b"Done" in body
        assert LogReader(tmp_path / "log").end() == before + 2
        eventually(lambda: consent(tmp_path, subject) == "out", what="the consent")


def bare(port: int, method: str, path: str, body: bytes = b"") -> tuple[bytes, bytes]:
    """(head, body) of the answer to a request with no more than it needs."""
    head = f"{method} {path} HTTP/1.1\r\nHost: hark.example\r\nConnection: close\r\n"
    if body:
        head += f"Content-Type: multipart/form-data; boundary=b0undary\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head.encode() + b"\r\n" + body)
        found = b"".join(iter(lambda: line.recv(65_536), b""))
    first, _, rest = found.partition(b"\r\n\r\n")
    return first, rest


def answered(link: str) -> httpx.Response | None:
    """The page behind a link, once the console is there."""
    found = httpx.get(link, trust_env=False, verify=False, timeout=10)
    return found if found.status_code == 200 else None


def consent(data: Path, subject: int) -> str:
    record = open_reader(data).record(subject)
    return record.consents["news/email"].state if record and "news/email" in record.consents else ""

"""Paths that are not collect's go to the console's socket and come back unchanged."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import httpx
import pytest

from tests.collect.runner import Collect, collecting


class Console:
    """A small HTTP server on the console's socket which tells what it was asked."""

    def __init__(self, socket: Path) -> None:
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._socket = socket
        self.gone = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        self._ready.result(10)

    async def _run(self) -> None:
        server = await asyncio.start_unix_server(self._answer, self._socket, limit=1 << 20)
        self._ready.set_result(asyncio.get_running_loop())
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self._body(reader, headers)
        if "/slow" in head[0]:
            await self._slowly(writer)
            return
        said = json.dumps({"line": head[0], "headers": headers, "body": len(body)}).encode()
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        if "/away" in head[0]:
            start = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n"
        writer.write(start + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        await writer.drain()
        writer.close()

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        return b""

    async def _slowly(self, writer: asyncio.StreamWriter) -> None:
        """Never end; notice when nobody listens any more."""
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"5\r\nhello\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            self.gone.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collect, Console]]:
    data = tmp_path_factory.mktemp("proxy")
    (data / "run").mkdir()
    console = Console(data / "run" / "console.sock")
    with collecting(data) as collect:
        yield collect, console


def get(collect: Collect, path: str, **more: object) -> httpx.Response:
    return httpx.get(collect.url + path, trust_env=False, verify=False, timeout=10, **more)  # type: ignore[arg-type]


def test_a_page_comes_through_with_its_headers(served: tuple[Collect, Console]) -> None:
    """Path, query and headers arrive as sent, X-Forwarded-* says who asked, and each cookie comes back."""
    collect, _ = served
    headers = {"X-Forwarded-For": "6.6.6.6", "Cookie": "s=1", "Accept": "text/html", "TE": "trailers"}
    answer = get(collect, "/customers/a%2Fb?q=%20x&q=2", headers=headers)
    said = answer.json()
    assert said["line"] == "GET /customers/a%2Fb?q=%20x&q=2 HTTP/1.1"
    assert said["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert said["headers"]["x-forwarded-proto"] == "http"
    assert said["headers"]["host"] == said["headers"]["x-forwarded-host"] == f"127.0.0.1:{collect.port}"
    assert (said["headers"]["cookie"], "te" in said["headers"]) == ("s=1", False)
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_redirects_are_the_browsers_to_follow(served: tuple[Collect, Console]) -> None:
    """A redirect is passed on."""
    answer = get(served[0], "/away")
    assert (answer.status_code, answer.headers["location"]) == (302, "/there")


def test_a_large_body_streams_through(served: tuple[Collect, Console]) -> None:
    """A body far over collect's own limit reaches the console; one over 32 MB is 413."""
    collect, _ = served
    assert collect.post("/upload", b"x" * 3_000_000).json()["body"] == 3_000_000
    assert collect.post("/upload", b"x" * (33 << 20)).status_code == 413


def test_an_answer_streams_and_ends_when_the_browser_goes(served: tuple[Collect, Console]) -> None:
    """Chunks come as they are made, and when the browser leaves the console is left too."""
    collect, console = served
    with httpx.stream("GET", collect.url + "/slow", trust_env=False, verify=False, timeout=10) as answer:
        assert next(answer.iter_raw()).startswith(b"hello")
    assert console.gone.wait(10)


def test_without_a_console_a_page_says_so(collect: Collect) -> None:
    """While the console is away its paths are 503 with Retry-After and a page that tries again."""
    answer = get(collect, "/segments")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "http-equiv" in answer.text


def test_without_a_console_a_program_is_told_so(collect: Collect) -> None:
    """Programs have the same answer as JSON in the form of the API's refusals."""
    answer = collect.post("/api/v1/messages", b"{}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json() == {
        "success": False,
        "code": "console.starting",
        "message": answer.json()["message"],
    }

"""One server for all tests of clients, a TLS proxy before it, and a browser."""

from __future__ import annotations

import asyncio
import http.server
import shutil
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from hark.collect.sources import Made, add_source
from tests.clients.running import CLIENTS, HERE, NODE
from tests.test_supervisor import Served


@dataclass(frozen=True)
class World:
    data: Path
    url: str
    keys: dict[str, Made]
    """By client: each has a source of its own."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server whose processes are started again, with a source for each client."""
    data = tmp_path_factory.mktemp("clients") / "data"
    keys = {name: add_source(data, name) for name in (*CLIENTS, "segment_browser", "docs")}
    served = Served(data)
    yield World(data, served.address.url, keys)
    served.process.kill()
    served.process.communicate()


@dataclass(frozen=True)
class Proxy:
    url: str
    certificate: Path


@pytest.fixture(scope="session")
def tls(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """What speaks HTTPS before the server, as everywhere outside a test."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, context = make_certificate(folder)
    loop = asyncio.new_event_loop()
    port = int(world.url.rpartition(":")[2])
    server = loop.run_until_complete(
        asyncio.start_server(partial(pass_on, port), "127.0.0.1", 0, ssl=context)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield Proxy(f"https://localhost:{server.sockets[0].getsockname()[1]}", certificate)
    asyncio.run_coroutine_threadsafe(end_all(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


async def end_all() -> None:
    """Cancel every connection that is still open."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that is its own authority, and the context which shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return certificate, context


async def pass_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each connection of a client is one to the server; when one side leaves, so does the other."""
    try:
        there, here = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    ways = {asyncio.create_task(pump(reader, here)), asyncio.create_task(pump(there, writer))}
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    here.close()
    writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return


class Pages(http.server.SimpleHTTPRequestHandler):
    """The shop's page, the client's published bundle, and what the page sends."""

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0]
        if name.startswith("/umd/"):
            return str(NODE / "node_modules" / "@segment" / "analytics-next" / "dist" / name[1:])
        if name.startswith("/pages/") or name == "/bundle.js":
            return str(NODE / "pages" / name.rpartition("/")[2])
        return str(HERE / ("programs" if name.endswith(".html") else "") / name[1:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The address of a web shop on localhost, another origin than the server's."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium without a window."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        pytest.fail("Chromium and its driver are not there: run scripts/setup test")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    with webdriver.Chrome(options=options, service=Service(driver)) as found:
        yield found

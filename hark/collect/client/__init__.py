"""`hark.js`: put into a page it finds out whether its text was read; `hark-in-app.js`: it shows a customer's
messages. Served as scripts and as modules."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from msgspec import Struct

from hark.collect.http import Answer, Collector, Headers, Incoming

_READING, _IN_APP, _PUSH = (Path(__file__).parent / name for name in ("reading.js", "in_app.js", "push.js"))
_START = """
const tag = document.currentScript;
if (tag && tag.dataset.key !== undefined) {
  const { key, host, selector, content, consent } = tag.dataset;
  const to = host || new URL(tag.src).origin;
  window.hark = Object.assign(hark, hark({ key, host: to, selector, content, consent: consent !== "ask" }));
} else window.hark = hark;
window.harkPlugin = harkPlugin;
"""
"""A script tag with data-key starts by itself; without it the page calls `hark(...)`."""
AGE_S = 3600
_HEADERS: Headers = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", f"public, max-age={AGE_S}, stale-while-revalidate=86400".encode()),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"timing-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"accept-encoding"),
]


class File(Struct, frozen=True):
    """A script, as it is and packed."""

    plain: bytes
    packed: bytes
    tag: bytes


@cache
def script() -> File:
    """For a script tag: its functions are the page's."""
    return _file(f"(() => {{\n{_READING.read_text('utf-8')}{_START}}})();\n")


@cache
def module() -> File:
    """For `import { hark, harkPlugin } from "https://HOST/hark.mjs"`."""
    return _file(f"{_READING.read_text('utf-8')}\nexport {{ hark, harkPlugin }};\nexport default hark;\n")


@cache
def in_app() -> File:
    """For a script tag: the page calls `harkInApp(...)`."""
    return _file(f"(() => {{\n{_IN_APP.read_text('utf-8')}\nwindow.harkInApp = harkInApp;\n}})();\n")


@cache
def in_app_module() -> File:
    """For `import { harkInApp } from "https://HOST/hark-in-app.mjs"`."""
    return _file(f"{_IN_APP.read_text('utf-8')}\nexport {{ harkInApp }};\nexport default harkInApp;\n")


async def give_script(_: Collector, incoming: Incoming) -> Answer:
    """GET /hark.js"""
    return _answer(script(), incoming)


async def give_module(_: Collector, incoming: Incoming) -> Answer:
    """GET /hark.mjs"""
    return _answer(module(), incoming)


@cache
def worker() -> File:
    """For `importScripts` in the product's own service worker."""
    return _file(_PUSH.read_text("utf-8"))


async def give_worker(_: Collector, incoming: Incoming) -> Answer:
    """GET /hark-sw.js"""
    return _answer(worker(), incoming)


async def give_in_app(_: Collector, incoming: Incoming) -> Answer:
    """GET /hark-in-app.js"""
    return _answer(in_app(), incoming)


async def give_in_app_module(_: Collector, incoming: Incoming) -> Answer:
    """GET /hark-in-app.mjs"""
    return _answer(in_app_module(), incoming)


def _file(text: str) -> File:
    plain = text.encode()
    tag = f'"{hashlib.blake2b(plain, digest_size=8).hexdigest()}"'.encode()
    return File(plain, gzip.compress(plain, 9, mtime=0), tag)


def _answer(file: File, incoming: Incoming) -> Answer:
    """The file, or 304 to who has it. Packed for whoever unpacks."""
    asked = dict(incoming.headers)
    headers = [*_HEADERS, (b"etag", file.tag)]
    if file.tag in asked.get(b"if-none-match", b""):
        return Answer(304, b"", headers)
    if b"gzip" in asked.get(b"accept-encoding", b""):
        return Answer(200, file.packed, [*headers, (b"content-encoding", b"gzip")])
    return Answer(200, file.plain, headers)

"""A mail put together in forms, from an empty draft to a version in force, without JavaScript."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from PIL import Image

from hark.console.source import Source
from hark.definitions.parse import parse
from hark.speak.images import Library, cleaned
from tests.console.collector import Collector
from tests.engine.world import World

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.define("topic: news\ndefault: in\n---\nsnippet: foot\nmjml: <mj-section/>\n")
    world.identify("ada", email="ada@example.com", first_name="Ada")
    world.catch_up()
    return world


@pytest.fixture
def here(ann: Client, world: World, collector: Collector) -> Iterator[Client]:
    from django.conf import settings

    shop = settings.HARK_SOURCE
    found = Source(world.data, shop.clock, shop.url)
    found._control = shop._control  # type: ignore[method-assign]
    with override_settings(HARK_SOURCE=found):
        yield ann


def picture(form: str = "JPEG", size: tuple[int, int] = (1600, 20), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#aa2200").save(out, form, **more)
    return out.getvalue()


def form(page: dict[str, Any]) -> dict[str, str]:
    """What a browser would post of the page as it stands."""
    fields = {"subject": page["subject"], "customer": page["customer"], "topic": page["topic"]}
    for one in page["fields"]:
        at = f"b{one['number']}-"
        fields[f"{at}kind"], fields[f"{at}says"] = one["kind"], one["says"]
        fields |= {f"{at}{key}": one[key] for key in one["takes"]}
    return fields


def page(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/compose/spring_news?format=json").json()
    return found


def kinds(client: Client) -> list[str]:
    return [one["kind"] for one in page(client)["fields"]]


def test_a_mail_is_put_together_and_read_back(here: Client, world: World, collector: Collector) -> None:
    """Each button changes the draft alone; saving hands over one version, which the composer reads back."""
    assert here.get("/compose?name=Spring news")["Location"] == "/compose/spring_news"
    assert kinds(here) == ["heading", "text", "button"]
    for do, expected in (
        ("add:products", ["heading", "text", "button", "products"]),
        ("add:line", ["heading", "text", "button", "products", "line"]),
        ("up:3", ["heading", "text", "products", "button", "line"]),
        ("down:0", ["text", "heading", "products", "button", "line"]),
        ("remove:2", ["text", "heading", "button", "line"]),
        ("add:nonsense", ["text", "heading", "button", "line"]),
        ("up:99", ["text", "heading", "button", "line"]),
    ):
        here.post("/compose/spring_news", form(page(here)) | {"do": do})
        assert kinds(here) == expected
    unfinished = here.post("/compose/spring_news", form(page(here)) | {"do": "save"})
    assert unfinished.status_code == 400
    assert collector.rows == []

    filled = form(page(here)) | {
        "subject": "Spring, {{ customer.first_name }}",
        "b0-says": "Dear {{ customer.first_name }},\r\n\r\nit **grows**.",
        "b1-says": "Tea <fresh>",
        "b2-says": "See it",
        "b2-to": "https://shop.example/tea",
        "customer": "ada",
        "topic": "news",
    }
    assert here.post("/compose/spring_news", filled | {"do": "preview"}).status_code == 200
    shown = page(here)
    assert (shown["problems"], shown["why_not"], shown["shows"]) == ([], "", True)
    assert "Dear Ada," in shown["text"]
    framed = here.get("/compose/spring_news/frame")
    assert "it <strong>grows</strong>" in framed.content.decode()
    assert "sandbox" in framed["Content-Security-Policy"]
    assert here.post("/compose/spring_news", filled | {"do": "save"}).status_code == 302
    (row,) = collector.rows
    (document,) = row["body"]["documents"]
    assert document["body"]["blocks"][2] == {"button": "See it", "to": "https://shop.example/tea"}
    world.define(_text(document["body"]))
    world.catch_up()
    again = page(here)
    assert (again["version"], again["changed"]) == (1, False)
    assert [one["says"] for one in again["fields"]][:2] == [
        "Dear {{ customer.first_name }},\n\nit **grows**.",
        "Tea <fresh>",
    ]
    assert "Tea &lt;fresh&gt;" in here.get("/compose/spring_news").content.decode()


def _text(body: Any) -> str:
    from hark.definitions import yaml

    text = yaml.write([body])
    assert parse(text)
    return text


def test_what_is_written_otherwise_is_not_composed(here: Client, world: World) -> None:
    """A template in MJML keeps its words: the composer does not open it."""
    world.define("template: own\nchannel: email\nsubject: s\ntext: hello\n")
    world.catch_up()
    assert here.get("/compose/own").status_code == 404


def test_pictures_are_kept_bare_and_for_ever(here: Client, stranger: Client, world: World) -> None:
    """What says where it was taken is gone, and what is too wide is made smaller; anybody gets it by its name
    of a hash, for ever; the same picture is one file."""
    exif = Image.Exif()
    exif[0x8825], exif[0x010F] = {1: "N", 2: (51.0, 30.0, 0.0)}, "Spy camera"
    raw = picture(exif=exif)
    assert b"Spy camera" in raw
    for _ in range(2):
        added = here.post("/images", {"picture": SimpleUploadedFile("cup.jpg", raw)})["Location"]
    file = re.fullmatch(r"/images\?added=([0-9a-f]{32}\.jpg)", added)
    assert file
    (kept,) = Library(world.data).all()
    assert (kept.file, kept.name, kept.width, kept.height) == (file[1], "cup.jpg", 1200, 15)
    answer = stranger.get(f"/i/{file[1]}")
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "image/jpeg",
        "public, max-age=31536000, immutable",
    )
    assert b"Spy camera" not in answer.content
    assert not Image.open(io.BytesIO(answer.content)).getexif()
    assert stranger.get("/i/secret.key").status_code == 404


@pytest.mark.parametrize("form_", ["PNG", "GIF", "WEBP", "JPEG"])
def test_pictures_of_each_form_are_taken(form_: str) -> None:
    """As what every mail program shows."""
    kind, clean, size = cleaned(picture(form_, (40, 30)))
    with Image.open(io.BytesIO(clean)) as found:
        assert (size, found.size) == ((40, 30), (40, 30))
        assert found.format == {"png": "PNG", "gif": "GIF", "jpg": "JPEG"}[kind]
        assert found.convert("RGB").getpixel((5, 5))[0] > 150  # type: ignore[index]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + b"x" * 50),
        *(picture()[:200], picture("TIFF"), b"x" * 5_000_001),
    ],
    ids=["empty", "svg", "broken", "cut", "tiff", "large"],
)
def test_what_is_no_picture_is_refused(content: bytes, here: Client, world: World) -> None:
    """With words, and nothing is kept."""
    answer = here.post("/images", {"picture": SimpleUploadedFile("x.png", content)})
    assert answer.status_code == 400
    assert Library(world.data).all() == []


def test_the_brand_is_one_document(here: Client, world: World, collector: Collector) -> None:
    """Its form writes it, says what is wrong, and reads it back; its sample is shown in a frame."""
    given = {
        "accent": "#aa2200",
        "background": "#ffffff",
        "font": "serif",
        "address": "Shop & Sons\r\nLondon",
    }
    assert here.post("/brand", given | {"accent": "red"}).status_code == 400
    assert here.post("/brand", given).status_code == 302
    (row,) = collector.rows
    (document,) = row["body"]["documents"]
    assert (document["kind"], document["body"]["address"]) == ("brand", "Shop & Sons\nLondon")
    world.define(_text(document["body"]))
    world.catch_up()
    assert here.get("/brand?format=json").json()["given"]["font"] == "serif"
    sample = here.get("/brand/frame").content.decode()
    assert "Shop &amp; Sons" in sample
    assert "#aa2200" in sample

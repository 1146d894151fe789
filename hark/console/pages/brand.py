"""Brand: colours, logo, font and foot of mails that are put together from blocks."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console import saving
from hark.console.pages.compose import FRESH
from hark.console.pages.definitions import saved_address
from hark.console.pages.errors import unavailable
from hark.console.pages.templates import framed
from hark.console.respond import respond
from hark.console.source import Source, source
from hark.definitions.blocks import FONTS
from hark.definitions.parse import definition
from hark.definitions.problems import DefinitionError
from hark.definitions.shared import Brand
from hark.errors import HarkError
from hark.model import JSON
from hark.previews import book_of, shown_of
from hark.speak.images import Library, Picture
from hark.speak.preview import About

NAME = "main"
KEYS = ("logo", "logo_alt", "site", "accent", "background", "font", "address")


class BrandPage(Struct, frozen=True):
    given: Brand
    pictures: tuple[Picture, ...]
    fonts: tuple[str, ...] = tuple(FONTS)
    problems: tuple[str, ...] = ()


def view(request: HttpRequest) -> HttpResponse:
    """GET and POST /brand"""
    here = source()
    page = BrandPage(in_force(here), tuple(Library(here.data).all()))
    if request.method != "POST":
        return respond(request, "brand.html", page)
    given = {key: request.POST.get(key, "").replace("\r\n", "\n").strip() for key in KEYS}
    document: JSON = {"brand": page.given.name, **{key: value for key, value in given.items() if value}}
    try:
        wanted = saving.read_documents(here, [document])
        changes = saving.save(here, wanted, str(request.user), "")
    except DefinitionError as error:
        shown = msgspec.structs.replace(page, given=_typed(given), problems=saving.problems(error))
        return respond(request, "brand.html", shown, 400)
    except HarkError as error:
        return unavailable(request, f"Nothing was saved: {error.message}. Try again in a moment.")
    return redirect(saved_address(changes[-1]))


def frame(_request: HttpRequest) -> HttpResponse:
    """GET /brand/frame: a sample mail in the brand that is in force."""
    here = source()
    document: JSON = {"template": "sample", "channel": "email", **FRESH, "subject": "What is new"}
    book = book_of(
        here.state.documents(), [one.definition for one in saving.read_documents(here, [document])]
    )
    found = shown_of("sample", book, About(), here.clock)
    return framed((found.said.html if found.said else None) or found.why_not)


def in_force(here: Source) -> Brand:
    """The brand that mails have now; the plain one where none was saved."""
    found = (definition(one) for one in here.state.documents() if one.kind == "brand")
    return next((one for one in found if isinstance(one, Brand)), Brand(NAME))


def _typed(given: dict[str, Any]) -> Brand:
    """What was typed, right or wrong."""
    return Brand(NAME, **{key: value for key, value in given.items() if value})

"""Images: the library of pictures for mails, and the public address under which mails show them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from msgspec import Struct

from hark.console.respond import respond
from hark.console.source import source
from hark.errors import HarkError
from hark.speak.images import MOST_BYTES, TYPES, Library, Picture


class ImagesPage(Struct, frozen=True):
    """The newest first."""

    pictures: tuple[Picture, ...]
    added: str = ""
    problem: str = ""


def view(request: HttpRequest) -> HttpResponse:
    """GET /images; POST a `picture`"""
    library = Library(source().data)
    if request.method != "POST":
        return respond(request, "images.html", ImagesPage(tuple(library.all()), request.GET.get("added", "")))
    given = request.FILES.get("picture")
    try:
        if not isinstance(given, UploadedFile):
            raise HarkError("no picture was chosen", "choose a file", "image.type")
        picture = library.add(given.read(MOST_BYTES + 1), str(given.name or "picture"), source().now())
    except HarkError as error:
        problem = f"{error.message}: {error.hint}."
        return respond(request, "images.html", ImagesPage(tuple(library.all()), problem=problem), 400)
    return redirect(f"/images?added={picture.file}")


@login_not_required
def picture(_request: HttpRequest, file: str) -> HttpResponse:
    """GET /i/FILE: a picture, for ever: its name is the hash of what it holds."""
    found = Library(source().data).read(file)
    if found is None:
        raise Http404
    answer = HttpResponse(found, content_type=TYPES[file.rpartition(".")[2]])
    answer["Cache-Control"] = "public, max-age=31536000, immutable"
    # Mail is read in other sites' pages.
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer

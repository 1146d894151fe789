"""The image library: pictures for mails, under names made of what they hold, in DIR/images.

Every picture is decoded and written anew: what is no picture is refused, where it was taken and by which
camera (EXIF) goes, and whatever else a file may carry with it. A picture that was sent stands in people's
mailboxes, so none is ever changed or removed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path

import msgspec
from msgspec import Struct
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from hark.errors import HarkError
from hark.model import Instant

FOLDER = "images"
MOST_BYTES = 5_000_000
MOST_PIXELS = 25_000_000
MOST_FRAMES = 200
WIDEST = 1_200
"""Twice the width of a mail: enough for sharp screens."""
FORMS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "png"}
"""What is taken, and as what it is kept: not every mail program shows WebP."""
TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}
FILE = re.compile(r"[0-9a-f]{32}\.(png|jpg|gif)")


class Picture(Struct, frozen=True):
    """One picture of the library."""

    file: str
    """Its name there."""
    name: str
    """What its file was called."""
    width: int
    height: int
    bytes: int
    added_at: Instant


class Library:
    """That of one data directory."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def add(self, content: bytes, name: str, at: Instant) -> Picture:
        """Keeps a picture; the same one again is the same file. Raises HarkError `image...`."""
        kind, clean, size = cleaned(content)
        file = f"{hashlib.sha256(clean).hexdigest()[:32]}.{kind}"
        found = Picture(file, name[:120], *size, len(clean), at)
        self._folder.mkdir(exist_ok=True)
        if not (self._folder / file).exists():
            self._write(file, clean)
            self._write(f"{file}.json", msgspec.json.encode(found))
        return found

    def read(self, file: str) -> bytes | None:
        """None for a name of none."""
        path = self._folder / file
        return path.read_bytes() if FILE.fullmatch(file) and path.exists() else None

    def all(self) -> list[Picture]:
        """The newest first."""
        found = [msgspec.json.decode(one.read_bytes(), type=Picture) for one in self._folder.glob("*.json")]
        return sorted(found, key=lambda one: (-one.added_at, one.file))

    def _write(self, file: str, content: bytes) -> None:
        new = self._folder / f"{file}.{os.getpid()}.new"
        with new.open("wb") as opened:
            opened.write(content)
            os.fsync(opened.fileno())
        new.replace(self._folder / file)


def cleaned(content: bytes) -> tuple[str, bytes, tuple[int, int]]:
    """Ending, bytes and size of the picture alone. Raises HarkError `image.size`, `image.type`."""
    if len(content) > MOST_BYTES:
        raise HarkError(
            f"the picture has over {MOST_BYTES // 1_000_000} MB",
            "make it smaller; nothing was kept",
            "image.size",
        )
    try:
        with Image.open(io.BytesIO(content), formats=tuple(FORMS)) as opened:
            return _again(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        hint = "take a PNG, JPEG, GIF or WebP; nothing was kept"
        raise HarkError("that is no picture which can be read", hint, "image.type") from None


def _again(opened: Image.Image) -> tuple[str, bytes, tuple[int, int]]:
    if opened.width * opened.height > MOST_PIXELS:
        hint = "make it smaller; nothing was kept"
        raise HarkError(f"the picture has over {MOST_PIXELS // 1_000_000} million points", hint, "image.size")
    kind, out = FORMS[str(opened.format)], io.BytesIO()
    if kind == "gif":
        frames = [
            frame.copy() for _, frame in zip(range(MOST_FRAMES), ImageSequence.Iterator(opened), strict=False)
        ]
        durations = [int(frame.info.get("duration", 100)) for frame in frames]
        frames[0].save(
            out, "GIF", save_all=True, append_images=frames[1:], loop=0, duration=durations, comment=b""
        )
        return kind, out.getvalue(), frames[0].size
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((WIDEST, MOST_PIXELS))
    plain = upright.convert("RGB") if kind == "jpg" else upright.convert("RGBA")
    bare = Image.frombytes(plain.mode, plain.size, plain.tobytes())
    bare.save(
        out, "JPEG" if kind == "jpg" else "PNG", optimize=True, **({"quality": 85} if kind == "jpg" else {})
    )
    return kind, out.getvalue(), bare.size

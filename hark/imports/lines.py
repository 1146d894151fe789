"""A file's bytes without their packing: gzip, Zstandard or zip, told by how the file begins, not by its name.

Amplitude's exports are zip files of gzip files, and are sometimes named as if they were gzip alone.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

BUFFER = 1 << 20
GZIP, ZSTANDARD, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


class Unpacked:
    """A file's bytes; `share` says how much of the file has been read, 0 to 1."""

    def __init__(self, raw: io.BufferedReader, size: int) -> None:
        self._raw, self._size = raw, max(1, size)
        self.name = ""
        """Of a zip, the file within it that is being read."""

    @property
    def share(self) -> float:
        return min(1.0, self._raw.tell() / self._size)

    def streams(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes: one stream, or one for each file of a zip, by name."""
        if not _begins(self._raw, ZIP):
            yield _inner(self._raw)
            return
        with zipfile.ZipFile(self._raw) as archive:
            for name in sorted(one.filename for one in archive.infolist() if not one.is_dir()):
                self.name = name
                with archive.open(name) as member:
                    yield _inner(io.BufferedReader(member, BUFFER))  # type: ignore[arg-type]


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    with path.open("rb") as raw:
        yield Unpacked(raw, path.stat().st_size)


def _inner(raw: io.BufferedReader) -> IO[bytes]:
    if _begins(raw, GZIP):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if _begins(raw, ZSTANDARD):
        packed = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        return io.BufferedReader(packed, BUFFER)
    return raw


def _begins(raw: io.BufferedReader, mark: bytes) -> bool:
    return raw.peek(len(mark))[: len(mark)] == mark

"""A customer's record as bytes: MessagePack behind one byte that names the version of the format.

Fields are only ever added at the end of the structs, with a default, so older bytes stay readable
under the same tag; another tag means another shape.
"""

from __future__ import annotations

import msgspec

from hark.errors import HarkError
from hark.model import Instant, Record

TAG = b"\x01"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """The record as opaque bytes; the same record gives the same bytes."""
    return TAG + _encoder.encode(record)


def decode(data: bytes) -> Record:
    """The record of `encode`. Raises HarkError `record.version` for bytes of another version."""
    if data[:1] != TAG:
        raise HarkError(
            f"a customer's record has format {data[:1].hex() or 'none'}, this Hark reads {TAG.hex()}",
            "start the release of Hark that wrote this directory",
            "record.version",
        )
    return _decoder.decode(memoryview(data)[1:])


def fresh(subject: int, key: str, at: Instant) -> Record:
    """The empty record of a subject first seen at `at`; `key` is its stable key for assignment."""
    return Record(subject=subject, key=key, first_seen=at, now=at)

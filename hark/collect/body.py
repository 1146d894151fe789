"""From bytes off the wire to a body that is safe to store: bounded, unpacked, wholly valid JSON.

Once stored, properties are read much later and by others, so the whole body is checked here: what the log
holds can be decoded by everybody, to the last nested number.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct, field

from hark.collect.refusals import Reason, Refusal

DEPTH = 64
LONG_NUMBER = 300
"""Digits; a number of fewer is in range, unless it has an exponent."""

_STEPS = {ord(mark): step for mark, step in (("{", 1), ("[", 1), ("}", -1), ("]", -1))}
_NO_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'{}[]"\\')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DIGITS = bytes(
    ord("0") if byte in b"0123456789" else ord("e") if byte in b"eE" else ord(" ") for byte in range(256)
)
"""Every digit is 0, every e is e, all else a space."""
_EXPONENT = b"e000"
_LONG_NUMBER = b"0" * LONG_NUMBER
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def unpack(body: bytes, encoding: str, limit: int) -> bytes | Refusal:
    """The body without its content-encoding (gzip, deflate or none), at most `limit` bytes.

    Memory: never more than `limit` + 1 bytes are unpacked, whatever the input promises.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        message = f"content-encoding {encoding!r} is unknown; send gzip, deflate or none"
        return Refusal(Reason.UNKNOWN_ENCODING, message)
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        return Refusal(Reason.BROKEN_GZIP, f"the body is not what content-encoding says: {error}")
    if len(found) > limit:
        return too_large(limit)
    if not inflater.eof:
        return Refusal(Reason.BROKEN_GZIP, "the compressed body is cut short")
    return found


def too_large(limit: int) -> Refusal:
    """The answer to a body over the limit, packed or unpacked."""
    return Refusal(Reason.BODY_TOO_LARGE, f"the body is over {limit} bytes; send smaller batches")


class Head(Struct, rename="camel"):
    """What collect reads of a body itself; the calls are read by `formats`."""

    batch: list[Raw] | None = None
    write_key: str | None = None
    api_key: str | None = field(default=None, name="api_key")


class _AnyHead(Struct, rename="camel"):
    batch: Raw = Raw()
    write_key: Raw = Raw()
    api_key: Raw = field(default=Raw(), name="api_key")


_head = msgspec.json.Decoder(Head)
_any_head = msgspec.json.Decoder(_AnyHead)
_text = msgspec.json.Decoder(str)
_list = msgspec.json.Decoder(list[Raw])


def read_head(body: bytes) -> Head | Refusal:
    """The keys and the calls of a body, if all of it is JSON of UTF-8, no deeper than 64, without half a
    surrogate pair. No objects are made of what is inside: that would be most of the cost of a batch."""
    if not (body.isascii() or _is_utf8(body)):
        return Refusal(Reason.INVALID_UTF8, "the body is not UTF-8")
    if is_too_deep(body):
        return Refusal(Reason.TOO_DEEP, f"the body is nested deeper than {DEPTH}")
    try:
        return _head.decode(body)
    except msgspec.ValidationError:
        return _odd_head(body)
    except RecursionError:
        return Refusal(Reason.BROKEN_JSON, "the body is not JSON: brackets without end")
    except msgspec.DecodeError as error:
        return broken(body, error)


def refuse_out_of_range(body: bytes, parts: Sequence[bytes]) -> Refusal | None:
    """Refuse numbers that no double can hold (1e999) in any of `parts`, objects of the body.

    Only where a part looks like it, by `e` with three digits or by very many digits, the body is decoded to
    be sure. Looking for that by a translation and constants takes a fifth of what a pattern takes.
    """
    digits = b"".join(parts).translate(_DIGITS, b"+")
    if _EXPONENT not in digits and _LONG_NUMBER not in digits:
        return None
    try:
        msgspec.json.decode(body)
    except msgspec.MsgspecError as error:
        return Refusal(Reason.NUMBER_OUT_OF_RANGE, f"a number is out of range: {error}")
    return None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _odd_head(body: bytes) -> Head | Refusal:
    """Of a body that is not as expected up to some point: what can be used all the same, if it is JSON."""
    try:
        head = _any_head.decode(body)
    except msgspec.ValidationError:
        return Refusal(Reason.NOT_AN_OBJECT, "the body must be a JSON object")
    except msgspec.DecodeError as error:
        return broken(body, error)
    batch = _list.decode(head.batch) if bytes(head.batch)[:1] == b"[" else None
    return Head(batch, _word(head.write_key), _word(head.api_key))


def _word(raw: Raw) -> str | None:
    return _text.decode(raw) if bytes(raw)[:1] == b'"' else None


def is_too_deep(body: bytes) -> bool:
    """Whether the brackets of a JSON text nest deeper than 64.

    Strings are taken out first. Of a usual body brackets and empty strings are left, and its innermost pairs
    vanish in a few rounds (C speed); only what withstands that is counted bracket by bracket.
    """
    if len(body) <= DEPTH:
        return False
    structure = body.translate(None, _NO_STRUCTURE).replace(b'""', b"")
    if b'"' in structure or b"\\" in structure:
        structure = _STRING.sub(b"", body).translate(None, _NO_STRUCTURE)
    left = structure
    for _ in range(8):
        left = left.replace(b"{}", b"").replace(b"[]", b"")
        if not left:
            return False
    return max(itertools.accumulate(_STEPS.get(byte, 0) for byte in structure), default=0) > DEPTH


def broken(body: bytes, error: msgspec.DecodeError) -> Refusal:
    """Why a body is no JSON, in the contract's words."""
    if "surrogate" in str(error) or ("truncated" in str(error) and _SURROGATE.search(body)):
        return Refusal(Reason.LONE_SURROGATE, "a string holds half a surrogate pair")
    return Refusal(Reason.BROKEN_JSON, f"the body is not JSON: {error}")

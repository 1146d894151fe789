"""From bytes off the wire to a body that is safe to store: bounded, unpacked, wholly valid JSON.

Once stored, properties are read much later and by others, so the whole body is decoded here once: what the
log holds can be decoded by everybody, to the last nested number.
"""

from __future__ import annotations

import itertools
import re
import zlib

import msgspec

from hark.collect.refusals import Reason, Refusal

DEPTH = 64
_STEPS = {ord(mark): step for mark, step in (("{", 1), ("[", 1), ("}", -1), ("]", -1))}
_NO_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'{}[]"\\')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
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


def decode(body: bytes) -> dict[str, object] | Refusal:
    """The body as an object, if all of it is valid: JSON, UTF-8, no lone surrogate, no number out of range,
    no deeper than 64."""
    try:
        if is_too_deep(body):
            return Refusal(Reason.TOO_DEEP, f"the body is nested deeper than {DEPTH}")
        found = msgspec.json.decode(body)
    except RecursionError:
        return Refusal(Reason.BROKEN_JSON, "the body is not JSON: brackets without end")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _diagnosis(body, error)
    if type(found) is not dict:
        return Refusal(Reason.NOT_AN_OBJECT, "the body must be a JSON object")
    return found


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


def _diagnosis(body: bytes, error: Exception) -> Refusal:
    """Why a body can't be decoded, in the contract's words."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return Refusal(Reason.INVALID_UTF8, "the body is not UTF-8")
    if isinstance(error, msgspec.ValidationError):
        return Refusal(Reason.NUMBER_OUT_OF_RANGE, f"a number is out of range: {error}")
    if "surrogate" in str(error) or ("truncated" in str(error) and _SURROGATE.search(body)):
        return Refusal(Reason.LONE_SURROGATE, "a string holds half a surrogate pair")
    return Refusal(Reason.BROKEN_JSON, f"the body is not JSON: {error}")

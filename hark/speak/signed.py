"""JSON Web Tokens (RFC 7519) by which push services know us: the same claims and key give the same token."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hark.model import JSON


def es256(claims: Mapping[str, JSON], key: ec.EllipticCurvePrivateKey, **header: str) -> str:
    """Signed by ECDSA on P-256 (RFC 7518, 3.4), without chance (RFC 6979), which libraries for tokens don't
    offer."""
    said = f"{_json({'typ': 'JWT', 'alg': 'ES256', **header})}.{_json(claims)}"
    found = key.sign(said.encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    tag = b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(found))
    return f"{said}.{b64(tag)}"


def b64(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(value: Mapping[str, JSON]) -> str:
    return b64(msgspec.json.encode(value))

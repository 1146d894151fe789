"""Amazon SNS: whether a message that claims to come from it does, by its certificate.

The text that is signed, and the rule that certificates and confirmations lie at Amazon's own hosts only, are
those of the SNS developer guide, "Verifying the signatures of Amazon SNS messages".
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

CONFIRMATION = "SubscriptionConfirmation"
_AMAZON = re.compile(r"https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?/[!-~]*")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_OTHERS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES: Mapping[str, type[hashes.SHA1] | type[hashes.SHA256]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class NotAmazonError(ValueError):
    """The message is not Amazon's."""


def amazon(url: object) -> str:
    """The URL, if it leads to SNS. Raises NotAmazonError."""
    if not isinstance(url, str) or not _AMAZON.fullmatch(url):
        raise NotAmazonError(f"no address of Amazon SNS: {str(url)[:100]!r}")
    return url


def prove(said: Mapping[str, Any], certificate: bytes) -> None:
    """Raises NotAmazonError unless the message was signed with this PEM certificate's key."""
    kind = _HASHES.get(str(said.get("SignatureVersion")))
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if kind is None or not isinstance(key, RSAPublicKey):
            raise NotAmazonError("signed in a way that SNS does not sign")
        signature = b64decode(str(said.get("Signature")), validate=True)
        key.verify(signature, _signed(said), PKCS1v15(), kind())
    except (InvalidSignature, ValueError) as error:
        raise NotAmazonError(f"the signature is not Amazon's: {error}") from error


def _signed(said: Mapping[str, Any]) -> bytes:
    keys = _NOTIFICATION if said.get("Type") == "Notification" else _OTHERS
    return "".join(f"{key}\n{said[key]}\n" for key in keys if said.get(key) is not None).encode()

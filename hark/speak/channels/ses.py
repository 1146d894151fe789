"""E-mail by Amazon SES: POST {url}/v2/email/outbound-emails with the letter as it is, signed by Signature
Version 4.

The signature is our own few lines (its reference: AWS, "Create a signed AWS API request"), since the library
that has it brings a client of its own, which would be a second way out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from msgspec import Struct

from hark.clock import moment
from hark.speak.contract import Answer, HttpChannel, Job, Request, SetupError, Verdict, by_status
from hark.speak.email import address, letter
from hark.speak.reply_address import reply_address
from hark.speak.reports import NAME, known_by

PATH = "/v2/email/outbound-emails"
_HOST = re.compile(r"email(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


class Account(Struct, frozen=True):
    """Whose key signs, and where it counts."""

    key: str
    secret: str
    region: str
    service: str = "ses"


class _Told(Struct):
    MessageId: str = ""


class Ses(HttpChannel):
    provider, channel = "ses", "email"
    example = (
        'sender: by_ses\nprovider: ses\naddress: "Shop <hello@shop.example>"\n'
        "url: https://email.eu-west-1.amazonaws.com\nsecret_env: SES_KEY\n"
    )

    def build(self, job: Job) -> Request:
        """The secret is ACCESS_KEY_ID:SECRET_ACCESS_KEY. The letter's own headers are kept, one-click and
        all; our id goes as a tag, by which the reports name it."""
        envelope, sender = job.envelope, job.sender
        made = letter(
            job.said,
            message=envelope.message,
            source=address(sender.address),
            target=address(envelope.to),
            at=envelope.at,
            unsubscribe=envelope.unsubscribe,
            files=envelope.files,
            reply_to=reply_address(sender.replies, envelope.reply_token),
            more=known_by(self.provider, envelope.message),
        )
        body = msgspec.json.encode(
            {
                "Content": {"Raw": {"Data": b64encode(made.data).decode()}},
                "Destination": {"ToAddresses": [made.recipient]},
                "EmailTags": [{"Name": NAME, "Value": envelope.message}],
            }
        )
        url = sender.url.rstrip("/") + PATH
        stamp = moment(envelope.at).strftime("%Y%m%dT%H%M%SZ")
        headers = {"Content-Type": "application/json", "X-Amz-Date": stamp}
        signed = signature(account(job), "POST", url, headers, body)
        return Request(url, body, {**headers, "Authorization": signed})

    def parse(self, answer: Answer) -> Verdict:
        if 200 <= answer.status < 300:
            return Verdict("sent", _named(answer.body))
        return by_status(answer, idempotent=False)


def account(job: Job) -> Account:
    """Raises SetupError for a secret of another form."""
    key, colon, secret = job.secret.partition(":")
    if not (key and colon and secret):
        raise SetupError("the secret of a sender for ses is ACCESS_KEY_ID:SECRET_ACCESS_KEY")
    found = _HOST.fullmatch(urlsplit(job.sender.url).hostname or "")
    return Account(key, secret, job.sender.account or (found[1] if found else "us-east-1"))


def signature(of: Account, method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """The Authorization header for a request with these headers, of which X-Amz-Date (20150830T123600Z) is
    one. Host is signed too."""
    parts = urlsplit(url)
    given = {name.lower(): value.strip() for name, value in headers.items()} | {"host": parts.netloc}
    names = sorted(given)
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in _pairs(parts.query))
    lines = [method, quote(parts.path or "/", safe="/-_.~"), query, *(f"{one}:{given[one]}" for one in names)]
    asked = "\n".join([*lines, "", ";".join(names), hashlib.sha256(body).hexdigest()])
    stamp = given["x-amz-date"]
    scope = f"{stamp[:8]}/{of.region}/{of.service}/aws4_request"
    told = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()])
    tag = hmac.digest(_key(of, stamp[:8]), told.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={of.key}/{scope}, SignedHeaders={';'.join(names)}, Signature={tag}"


def _key(of: Account, day: str) -> bytes:
    found = f"AWS4{of.secret}".encode()
    for part in (day, of.region, of.service, "aws4_request"):
        found = hmac.digest(found, part.encode(), "sha256")
    return found


def _pairs(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query, keep_blank_values=True))


def _named(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Told).MessageId
    except msgspec.MsgspecError:
        return ""

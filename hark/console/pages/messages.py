"""POST /api/v1/messages: a transactional message, once for each Idempotency-Key; GET: what became of it."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from typing import Any

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from msgspec import Struct

from hark.clock import derived_id
from hark.collect.sources import Access
from hark.console.api import admitted, answered, said
from hark.console.requests.once import once
from hark.console.source import Source, source
from hark.definitions.document import Document
from hark.definitions.parse import definition
from hark.definitions.problems import nearest
from hark.definitions.shapes import UNITS
from hark.definitions.types import Template
from hark.errors import HarkError
from hark.model import JSON, MINUTE, SECOND
from hark.speak.attachments import MOST_BYTES, MOST_FILES, NAME, TYPE, Attachment, Attachments, Files
from hark.speak.channels.twilio import E164
from hark.speak.contract import BadAddressError
from hark.speak.email import address
from hark.understand.conditions.reachable import NOT_THE_CUSTOMER

KEY = re.compile(r"[!-~]{1,255}")
LONGEST_EXPIRY_US = 30 * 24 * 60 * MINUTE
MOST_DATA = 32_000
"""Bytes of `data`: it stands in the customer's history."""


class AttachmentAsked(Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    type: str
    content: str
    """base64."""


class MessageAsked(Struct, forbid_unknown_fields=True, frozen=True):
    """What a call says."""

    template: str
    customer: str
    """A userId; who is not known yet becomes a customer."""
    to: str = ""
    """An address instead of the customer's own."""
    data: dict[str, JSON] = {}
    expires: str = ""
    """30m, 6h, 2d: not sent later than so long from now."""
    attachments: list[AttachmentAsked] = []


class WrongError(Exception):
    """What is wrong with a call, under a stable code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@csrf_exempt
@login_not_required
def create(request: HttpRequest) -> HttpResponse:
    """200 with the message's id once it is in the log, again for the same call again; 409 for another call
    under the same key; 400 for what is wrong with it."""
    here = source()
    access = admitted(request, here, "POST")
    if isinstance(access, HttpResponse):
        return access
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        hint = "send a header Idempotency-Key of up to 255 characters: a name of your own for this message"
        return said(400, "idempotency_key", hint)
    try:
        asked = msgspec.json.decode(request.body, type=MessageAsked)
        return _carried_out(here, access, key, asked)
    except msgspec.DecodeError as error:
        return said(400, "body", f"the body is not what is expected: {error}")
    except WrongError as error:
        return said(400, error.code, error.message)
    except HarkError as error:
        answer = said(503, error.id or "collect.gone", f"{error.message}; nothing was kept, send it again")
        answer["Retry-After"] = "2"
        return answer


@login_not_required
def view(request: HttpRequest, message: str) -> HttpResponse:
    """{"message", "state", "detail"}: as the outbox has it."""
    here = source()
    access = admitted(request, here, "GET")
    if isinstance(access, HttpResponse):
        return access
    row = here.state.message(message)
    if row is None:
        return said(404, "unknown_message", f"there is no message {message}, or it was not read yet")
    found = {"message": row.message, "channel": row.channel, "template": row.template, "state": row.state}
    return answered(200, {**found, "detail": row.detail, "updated_at": row.updated_at})


def _carried_out(here: Source, access: Access, key: str, asked: MessageAsked) -> HttpResponse:
    message = derived_id("api message", access.source.name, key)
    body, files = _row(here, message, asked), _files(asked.attachments)

    def act() -> None:
        if files:
            Attachments(here.data).keep(message, files, here.now())
        here.message(access.source.name, body)

    print_ = hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()
    kept = hashlib.sha256(f"{access.source.name}\x00{key}".encode()).hexdigest()
    if once(kept, print_, here.now(), act) == "other":
        text = "this Idempotency-Key was used for another message; a new message needs a key of its own"
        return said(409, "idempotency_key_used", text)
    return answered(200, {"success": True, "message": message})


def _row(here: Source, message: str, asked: MessageAsked) -> dict[str, Any]:
    """The body of the log's row. Raises WrongError."""
    template = _template(here.state.documents(), asked.template)
    if not asked.customer.strip() or len(asked.customer) > 512:
        raise WrongError("customer", "customer is a userId of 1 to 512 characters")
    if len(msgspec.json.encode(asked.data)) > MOST_DATA:
        raise WrongError("data", f"data has over {MOST_DATA} bytes")
    return {
        "id": message,
        "customer": asked.customer,
        "template": template.name,
        "channel": template.channel,
        "to": _to(template.channel, asked.to),
        "data": asked.data,
        "expires_us": _expires_us(asked.expires),
        "attachments": [one.name for one in asked.attachments],
    }


def _template(documents: list[Document], name: str) -> Template:
    known = {one.name: one for one in documents if one.kind == "template"}
    if name not in known:
        raise WrongError("unknown_template", f'there is no template "{name}" ({nearest(name, known)})')
    found = definition(known[name])
    assert isinstance(found, Template)
    if found.channel in NOT_THE_CUSTOMER:
        raise WrongError("channel", f"a template for {found.channel} is not for customers")
    return found


def _to(channel: str, to: str) -> str:
    if to and channel == "email":
        try:
            return address(to).addr_spec
        except BadAddressError as error:
            raise WrongError("to", str(error)) from None
    if to and channel == "sms" and not E164.fullmatch(to):
        raise WrongError("to", f"not a number in the form +15550100: {to[:40]!r}")
    return to


def _expires_us(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text) if text else None
    span = int(found[1]) * (UNITS | {"s": SECOND})[found[2]] if found else 0
    if text and not 0 < span <= LONGEST_EXPIRY_US:
        raise WrongError("expires", "expires is a time such as 30s, 15m, 6h or 2d, up to 30d")
    return span


def _files(asked: list[AttachmentAsked]) -> Files:
    """Raises WrongError."""
    if len(asked) > MOST_FILES:
        raise WrongError("attachments", f"at most {MOST_FILES} files")
    files = tuple(_file(one) for one in asked)
    if sum(len(one.content) for one in files) > MOST_BYTES:
        raise WrongError("attachments", f"the files have over {MOST_BYTES} bytes together")
    return files


def _file(one: AttachmentAsked) -> Attachment:
    if not NAME.fullmatch(one.name) or not TYPE.fullmatch(one.type.lower()):
        raise WrongError("attachments", f"{one.name[:60]!r}: name without /, type such as application/pdf")
    try:
        return Attachment(one.name, one.type.lower(), b64decode(one.content, validate=True))
    except ValueError:
        raise WrongError("attachments", f"the content of {one.name!r} is not base64") from None

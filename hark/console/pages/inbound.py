"""POST /inbound/SENDER: a mail that came in, from a provider's webhook or a mail server of one's own.

An answer to a message of ours becomes `Message Replied`, a report about one (a bounce, a complaint) what a
provider's report is. All else is taken and dropped: whom it is for is not said by our own signature.
"""

from __future__ import annotations

import hashlib

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hark.clock import derived_id
from hark.console.doors import opened
from hark.console.providers import Mail, mails
from hark.console.source import Source
from hark.definitions.types import Sender
from hark.engine.asking import ABOUT
from hark.model import JSON, ResponseName
from hark.speak.incoming import Reply, Report, addresses, understood
from hark.speak.reply_address import answered
from hark.store.contracts import OutboxRow

RAW = 12_000
"""Characters of a mail that are kept as they came."""


@csrf_exempt
@login_not_required
def view(request: HttpRequest, name: str) -> HttpResponse:
    """Answers into the log (`doors.opened`); says how many of the mails were about messages of ours."""

    def take(here: Source, sender: Sender, secret: str) -> str:
        found = mails(sender.inbound, secret, request)
        return f"{sum(_taken(here, one) for one in found)} of {len(found)} taken"

    return opened(request, name, lambda sender: sender.inbound_env, take)


def _taken(here: Source, mail: Mail) -> bool:
    """Whether the mail was about a message of ours; then it is in the log when this returns."""
    message = answered(here.links.keys, (mail.recipient, *addresses(mail.raw)))
    row = here.state.message(message) if message else None
    came = understood(mail.raw, mail.envelope_sender) if row else None
    if row is None or came is None:
        return False
    if isinstance(came, Report):
        here.receipts([_receipt(row, came, mail)])
    else:
        here.responses([_response(here, row, came, mail)])
    return True


def _receipt(row: OutboxRow, came: Report, mail: Mail) -> JSON:
    said = {"message": row.message, "what": came.what, "provider": "mail", "detail": came.detail}
    return said | {"permanent": came.permanent, "raw": _text(mail.raw)}


def _response(here: Source, row: OutboxRow, came: Reply, mail: Mail) -> JSON:
    named = came.id or hashlib.sha256(mail.raw).hexdigest()
    about = {name: row.content.get(name) for name in ABOUT} | {"message": row.message}
    said = about | {"campaign": row.campaign, "template": row.template, "channel": row.channel}
    said |= {"from": came.source, "subject": came.subject, "text": came.text, "whole": came.whole}
    if came.machine:
        said |= {"machine": True, "why": came.machine}
    elif came.wants_out:
        said["wants_out"] = True
    said["raw"] = _text(mail.raw)
    return {
        "name": ResponseName.REPLIED.value,
        "subject": row.subject,
        "at": here.now(),
        "properties": said,
        "id": derived_id("reply", row.message, named),
    }


def _text(raw: bytes) -> str:
    return raw[:RAW].decode("utf-8", "replace")

"""A call that starts a campaign with `trigger: {api: yes}` for one customer: steps which take the place of
reading a call.

It becomes an event of the customer's own history, so that it comes after what the same caller said of the
customer before, counts once by its `id`, and a replay starts the campaign at the same place.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from hark.collect import steps
from hark.collect.calls import Id, json_object
from hark.collect.refusals import Reason, Refusal
from hark.collect.steps import Context, Request, Step
from hark.model import CAMPAIGN_TRIGGERED


class Called(Struct, rename="camel"):
    """The body: who (`userId` or `anonymousId`), with what, and the caller's own id of this call."""

    user_id: Id = None
    anonymous_id: Id = None
    id: Id = None
    data: Raw = Raw()


_called = msgspec.json.Decoder(Called)


def refuse_unknown_campaign(request: Request, context: Context) -> Refusal | None:
    name = request.params["campaign"]
    if context.hooks.starts(name):
        return None
    message = f"no campaign {name!r} is started by calls: apply one with `trigger: {{api: yes}}`"
    return Refusal(Reason.UNKNOWN_CAMPAIGN, message)


def add_call(request: Request, _: Context) -> Refusal | None:
    """The event that stands for the call."""
    said = _called.decode(request.body)
    data = json_object(said.data, "data")
    request.body = event(request.params["campaign"], said.user_id, said.anonymous_id, said.id, data)
    return None


def event(campaign: str, user: Id, anonymous: Id, id: Id, data: bytes) -> bytes:
    """The body of the row that starts a campaign; `data` is a JSON object."""
    return msgspec.json.encode(
        {
            "userId": user,
            "anonymousId": anonymous,
            "messageId": id,
            "event": CAMPAIGN_TRIGGERED,
            "properties": {"campaign": campaign, "data": Raw(data)},
            "context": {"active": False},
        }
    )


TRIGGER: tuple[Step, ...] = (
    steps.add_unpacked_body,
    steps.refuse_large_call,
    steps.add_head,
    steps.add_key,
    steps.add_source,
    steps.refuse_origin,
    steps.refuse_large_body,
    steps.refuse_rate,
    steps.refuse_public_key,
    refuse_unknown_campaign,
    steps.read_by(add_call),
    steps.add_members,
    steps.refuse_invalid_call,
)

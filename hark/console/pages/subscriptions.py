"""GET, POST and DELETE /in-app/push: whom a browser lets push to it. The customer's token is the proof."""

from __future__ import annotations

import logging
import os

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Struct

from hark.console.api import answered, said
from hark.console.pages.inbox import claim_in, nobody, to_pages
from hark.console.reader import senders
from hark.console.source import Source, source
from hark.errors import HarkError
from hark.model import JSON
from hark.speak.channels.web_push import private_key, public_key
from hark.speak.contract import SetupError
from hark.speak.signed import b64
from hark.understand.conditions.reachable import subscribed


class Keys(Struct, frozen=True):
    p256dh: str
    auth: str


class Subscribed(Struct, frozen=True):
    """`PushSubscription.toJSON()`."""

    endpoint: str
    keys: Keys


@to_pages
def push(request: HttpRequest) -> HttpResponse:
    """The key to subscribe with; takes a subscription, or forgets it."""
    here, claim = source(), claim_in(request)
    if claim is None:
        return nobody()
    if request.method == "GET":
        key = _key(here)
        return answered(200, {"key": key}) if key else said(404, "no_sender", "no sender for web_push")
    if request.method == "DELETE":
        return _keep(here, claim.user, None)
    if request.method == "POST":
        return _taken(request, here, claim.user)
    return said(405, "method", "send GET, POST or DELETE")


def _taken(request: HttpRequest, here: Source, user: str) -> HttpResponse:
    try:
        found = msgspec.to_builtins(msgspec.json.decode(request.body, type=Subscribed))
    except msgspec.DecodeError as error:
        return said(400, "body", f"the body is no subscription: {error}")
    if not subscribed(found):
        return said(400, "subscription", "a subscription has an https endpoint, p256dh and auth")
    return _keep(here, user, found)


def _key(here: Source) -> str:
    """The public key of the first sender for browsers whose secret is set; "" for none."""
    for one in senders(here):
        if one.channel == "web_push" and os.environ.get(one.secret_env):
            try:
                return b64(public_key(private_key(os.environ[one.secret_env])))
            except SetupError as error:
                logging.getLogger(__name__).warning("sender %s: %s", one.name, error)
    return ""


def _keep(here: Source, user: str, found: JSON) -> HttpResponse:
    """As a trait of the customer; to have a device is no activity."""
    try:
        here.identify({"userId": user, "traits": {"web_push": found}, "context": {"active": False}})
    except HarkError as error:
        logging.getLogger(__name__).warning("a subscription was not written: %s", error)
        answer = said(503, error.id or "collect.gone", "not kept: try again")
        answer["Retry-After"] = "2"
        return answer
    return answered(200, {"success": True})

"""SMS by Twilio's API: POST {url}/2010-04-01/Accounts/{account}/Messages.json; others speak it too."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from hark.speak.contract import Answer, BadAddressError, HttpChannel, Job, Request, Verdict, by_status
from hark.speak.texts import LASTING, callback

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST = 1600
"""Characters; Twilio refuses more with 21617."""


class _Told(Struct):
    code: int | None = None
    sid: str = ""
    message: str | None = None


class Twilio(HttpChannel):
    provider, channel = "twilio", "sms"
    example = (
        "sender: texts\nchannel: sms\naddress: '+15550100'\naccount: AC0123456789\nsecret_env: TWILIO_TOKEN\n"
    )

    def build(self, job: Job) -> Request:
        said, envelope, sender = job.said, job.envelope, job.sender
        if not E164.fullmatch(envelope.to):
            raise BadAddressError(f"not a number in the form +15550100: {envelope.to[:40]!r}")
        base = (sender.url or "https://api.twilio.com").rstrip("/")
        form = {"To": envelope.to, _from(sender.address): sender.address, "Body": said.text[:LONGEST]}
        if envelope.base:
            form["StatusCallback"] = callback(envelope.base, sender.name, envelope.message)
        login = b64encode(f"{sender.account}:{job.secret}".encode()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {login}"}
        url = f"{base}/2010-04-01/Accounts/{quote(sender.account, safe='')}/Messages.json"
        return Request(url, urlencode(form).encode(), headers)

    def parse(self, answer: Answer) -> Verdict:
        told = _told(answer.body)
        if 200 <= answer.status < 300:
            return Verdict("sent", told.sid)
        if told.code in LASTING:
            return Verdict("failed", f"{told.code} {told.message}", permanent=True)
        return by_status(answer, idempotent=False)


def _from(address: str) -> str:
    return "MessagingServiceSid" if address.startswith("MG") else "From"


def _told(body: bytes) -> _Told:
    try:
        return msgspec.json.decode(body, type=_Told)
    except msgspec.MsgspecError:
        return _Told()

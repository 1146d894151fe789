"""Signed webhooks by the Standard Webhooks specification (standardwebhooks.com), to one endpoint.

The id is the message's, the same on each attempt, so that the receiver can drop repetitions; therefore
every status but 2xx is tried again, by the specification's own schedule. 410 ends the endpoint.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from hark.clock import moment
from hark.speak.contract import Answer, Envelope, HttpChannel, Job, Request, SetupError, Verdict, by_status


class SignedWebhook(HttpChannel):
    provider, channel = "webhook", "webhook"
    example = "sender: crm\nchannel: webhook\nurl: https://crm.example/hark\nsecret_env: CRM_WEBHOOK_SECRET\n"

    def build(self, job: Job) -> Request:
        """The secret may hold several, newest first, separated by spaces: each signs, so that a receiver may
        change to the new one in its own time."""
        envelope, body = job.envelope, msgspec.json.encode(job.said.data).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": envelope.message,
            "webhook-timestamp": str(envelope.at // 1_000_000),
            "webhook-signature": " ".join(_signed(one, envelope, body) for one in job.secret.split()),
        }
        return Request(job.sender.url, body.encode(), headers)

    def parse(self, answer: Answer) -> Verdict:
        if answer.status == 410:
            return Verdict("failed", answer.words(), sender_gone=True, ours=True)
        said = by_status(answer, idempotent=True)
        return said if said.state == "sent" else replace(said, temporary=True)


def _signed(secret: str, envelope: Envelope, body: str) -> str:
    try:
        return str(Webhook(secret).sign(envelope.message, moment(envelope.at), body))
    except ValueError as error:
        raise SetupError(f"a webhook's secret is whsec_ and base64: {error}") from None

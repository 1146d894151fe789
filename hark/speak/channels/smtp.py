"""E-mail by SMTP, to a relay or a provider's submission port."""

from __future__ import annotations

import re

from hark.speak.contract import Channel, Job, Letter, Lost, Reply, Verdict, Ways
from hark.speak.email import address, letter
from hark.speak.reply_address import reply_address
from hark.speak.reports import known_by

NO_SUCH_MAILBOX = frozenset({550, 551, 553})
OUR_FAULT = ("5.1.7", "5.1.8")
"""RFC 3463: addressing problems of the *sender's* address, which say nothing about the recipient's."""


class Smtp(Channel[Letter, Reply]):
    provider, channel = "smtp", "email"
    example = (
        'sender: shop\naddress: "Shop <hello@shop.example>"\nhost: mail.example\nport: 587\n'
        "tls: starttls\nuser: me\npassword_env: SMTP_PASSWORD\n"
    )

    def build(self, job: Job) -> Letter:
        envelope = job.envelope
        replies = reply_address(job.sender.replies, envelope.reply_token)
        return letter(
            job.said,
            message=envelope.message,
            source=address(job.sender.address),
            target=address(envelope.to),
            at=envelope.at,
            unsubscribe=envelope.unsubscribe,
            files=envelope.files,
            reply_to=replies,
            bounces_to=replies if job.sender.verp else "",
            more=known_by(job.sender.reports, envelope.message),
        )

    def post(self, built: Letter, ways: Ways) -> Reply | Lost:
        return ways.hand_over(built)

    def parse(self, answer: Reply) -> Verdict:
        """Before the final dot a refusal is certain, after it too; 5.1.x to RCPT is a dead address."""
        if answer.verb == "message" and answer.code == 250:
            return Verdict("sent", answer.text)
        gone = answer.verb == "RCPT" and _no_such_mailbox(answer.code, answer.text)
        detail = f"{answer.verb}: {answer.code} {answer.text}"
        ours = answer.verb in ("MAIL", "EHLO", "AUTH")
        return Verdict("failed", detail, temporary=answer.code < 500, permanent=gone, ours=ours)


def _no_such_mailbox(code: int, text: str) -> bool:
    enhanced = re.match(r"5\.\d{1,3}\.\d{1,3}", text)
    if enhanced is None:
        return code in NO_SUCH_MAILBOX
    return enhanced[0].startswith("5.1.") and enhanced[0] not in OUR_FAULT

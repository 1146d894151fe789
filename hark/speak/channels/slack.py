"""A note to the team by an incoming webhook of Slack's form, which others (Mattermost, Discord) take too."""

from __future__ import annotations

import msgspec

from hark.speak.contract import Answer, HttpChannel, Job, Request, SetupError, Verdict, by_status

GONE = frozenset({b"no_service", b"channel_not_found", b"channel_is_archived", b"no_team", b"team_disabled"})
"""Slack's words for a hook that will not work again before somebody mends it."""


class Slack(HttpChannel):
    provider, channel = "slack", "chat"
    example = "sender: team\nchannel: chat\nsecret_env: SLACK_WEBHOOK_URL\n"

    def build(self, job: Job) -> Request:
        """The whole URL is the secret. `&`, `<` and `>` are escaped, as Slack asks: names of customers are
        no links or mentions."""
        said, secret = job.said, job.secret
        if not secret.startswith(("https://", "http://")):
            raise SetupError("the secret of a sender for chat is the hook's whole URL")
        lines = [f"*{escaped(said.subject)}*"] * bool(said.subject) + [escaped(said.text)]
        body = msgspec.json.encode({"text": "\n".join(lines)})
        return Request(secret, body, {"Content-Type": "application/json"})

    def parse(self, answer: Answer) -> Verdict:
        if answer.status >= 400 and answer.body.strip() in GONE:
            return Verdict("failed", answer.words(), ours=True, sender_gone=True)
        return by_status(answer, idempotent=False)


def escaped(text: str) -> str:
    """Text that Slack shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

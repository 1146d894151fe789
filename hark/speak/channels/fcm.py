"""Push to apps by Firebase Cloud Messaging, HTTP v1: POST {url}/v1/projects/{project}/messages:send.

The service account's key signs a grant (RFC 7523), for which Google gives a token that holds an hour; it is
asked for once, and kept by all threads.
"""

from __future__ import annotations

import threading
from urllib.parse import urlencode

import jwt
import msgspec
from msgspec import Struct

from hark.speak.contract import (
    Answer,
    BadAddressError,
    HttpChannel,
    Job,
    Lost,
    Request,
    SetupError,
    Verdict,
    Ways,
    by_status,
)
from hark.speak.notice import lasts_s, notice

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANT_S, EARLY_S = 3600, 300
LONGEST_S = 28 * 24 * 3600
LONGEST_TOKEN = 4_096
NO_TOKEN = "registration token is not a valid"
"""FCM's words beside INVALID_ARGUMENT for what was never a token."""


class Account(Struct, frozen=True):
    """What is needed of a service account's JSON."""

    project_id: str
    client_email: str
    private_key: str
    token_uri: str = "https://oauth2.googleapis.com/token"


class Granted(Request, frozen=True):
    """A message, and how to get the token that it goes with."""

    grant: Request | None = None
    account: str = ""
    at_s: int = 0


class _Token(Struct):
    access_token: str
    expires_in: int = GRANT_S


class Fcm(HttpChannel):
    provider, channel = "fcm", "push"
    example = "sender: apps\nchannel: push\nprovider: fcm\nsecret_env: FCM_SERVICE_ACCOUNT\n"

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def build(self, job: Job) -> Granted:
        """The secret is the service account's whole JSON."""
        to = job.envelope.to.strip()
        if not to or len(to) > LONGEST_TOKEN or not to.isascii() or not to.isprintable():
            raise BadAddressError("not a device's token")
        of, at_s = _account(job.secret), job.envelope.at // 1_000_000
        base = (job.sender.url or "https://fcm.googleapis.com").rstrip("/")
        return Granted(
            f"{base}/v1/projects/{of.project_id}/messages:send",
            msgspec.json.encode({"message": _message(job, to)}),
            {"Content-Type": "application/json"},
            grant=_grant(of, at_s),
            account=f"{of.client_email} {of.token_uri}",
            at_s=at_s,
        )

    def post(self, built: Request, ways: Ways) -> Answer | Lost:
        """With the token that is kept; where there is none that is good, it is asked for first, and then
        nothing of the message has left."""
        assert isinstance(built, Granted)
        token = self._token(built, ways)
        if isinstance(token, Answer):
            return (
                Answer(503, {"retry-after": "60"}, b"TOKEN " + token.body) if token.status >= 500 else token
            )
        if isinstance(token, Lost):
            return Lost(token.detail, said=False, refused=token.refused)
        headers = {**built.headers, "Authorization": f"Bearer {token}"}
        answer = ways.exchange(Request(built.url, built.body, headers))
        if isinstance(answer, Answer) and answer.status == 401:
            with self._lock:
                self._tokens.pop(built.account, None)
        return answer

    def parse(self, answer: Answer) -> Verdict:
        words = answer.words()
        if answer.body.startswith(b"TOKEN "):
            return Verdict("failed", words, temporary=True, ours=True, retry_after_s=answer.retry_after_s())
        if answer.status == 404 and b"UNREGISTERED" in answer.body:
            return Verdict("failed", words, permanent=True)
        if answer.status == 400 and NO_TOKEN.encode() in answer.body:
            return Verdict("failed", words, permanent=True)
        return by_status(answer, idempotent=False)

    def _token(self, built: Granted, ways: Ways) -> str | Answer | Lost:
        with self._lock:
            kept, until_s = self._tokens.get(built.account, ("", 0))
            if built.at_s < until_s - EARLY_S:
                return kept
            assert built.grant is not None
            answer = ways.exchange(built.grant)
            if isinstance(answer, Lost):
                return answer
            if answer.status != 200:
                # 400 and 403: Google does not know the key, which is ours to mend.
                return Answer(401, {}, answer.body) if answer.status in (400, 403) else answer
            found = msgspec.json.decode(answer.body, type=_Token)
            self._tokens[built.account] = found.access_token, built.at_s + found.expires_in
            return found.access_token


def _account(secret: str) -> Account:
    try:
        return msgspec.json.decode(secret.encode(), type=Account)
    except msgspec.MsgspecError as error:
        raise SetupError(f"the secret of a sender for fcm is its service account's JSON: {error}") from None


def _message(job: Job, to: str) -> dict[str, object]:
    said = notice(job)
    data = {"message": said.message, "url": said.url}
    ttl = lasts_s(job, LONGEST_S)
    return {
        "token": to,
        "notification": {"title": said.title, "body": said.body},
        "data": {name: value for name, value in data.items() if value},
        "android": {"ttl": f"{ttl}s", "notification": {"tag": said.message}},
        "apns": {"headers": {"apns-collapse-id": said.message[:64]}},
    }


def _grant(of: Account, at_s: int) -> Request:
    claims = {
        "iss": of.client_email,
        "scope": SCOPE,
        "aud": of.token_uri,
        "iat": at_s,
        "exp": at_s + GRANT_S,
    }
    try:
        made = jwt.encode(claims, of.private_key, "RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise SetupError(f"the service account's private key is none: {type(error).__name__}") from None
    form = urlencode({"grant_type": GRANT, "assertion": made})
    return Request(of.token_uri, form.encode(), {"Content-Type": "application/x-www-form-urlencoded"})

"""E-mail by the APIs of mail providers. django-anymail knows how each wants to be asked; it builds the
request, and our one client (`speak.wire`) posts it.

Our id goes with the message as its metadata, by which the provider's reports name it (`speak.reports`). Where
a provider can be told, it neither counts opens and clicks nor rewrites links: they are ours, and signed.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, ClassVar, TypeAlias

import msgspec
import requests
from msgspec import Struct

from hark.clock import derived_id
from hark.speak.contract import Answer, HttpChannel, Job, Request, Verdict, by_status
from hark.speak.email import ONE_CLICK, address
from hark.speak.reply_address import reply_address
from hark.speak.reports import NAME

Backend: TypeAlias = Any
"""anymail's EmailBackend of a provider."""
Message: TypeAlias = Any
"""Django's EmailMultiAlternatives, with what anymail adds."""


class _Told(Struct):
    """The keys under which providers name a message, or say what is wrong."""

    id: str = ""
    message: str = ""
    message_id: str = msgspec.field(default="", name="messageId")
    MessageID: str = ""
    ErrorCode: int = 0
    name: str = ""


class MailApi(HttpChannel):
    """A provider with a backend of anymail's. `key` is what the backend calls its secret."""

    channel = "email"
    key: ClassVar[str] = "api_key"
    options: ClassVar[dict[str, object]] = {}
    untracked: ClassVar[bool] = True
    """It can be told to count nothing."""
    gone: ClassVar[tuple[tuple[int, str], ...]] = ()
    """(status, the words) by which it says that an address gets nothing ever."""
    idempotent: ClassVar[bool] = False
    """It drops a repeated id."""

    def build(self, job: Job) -> Request:
        backend = self._backend(job)
        payload = backend.build_message_payload(self._message(job), {})
        asked = payload.get_request_params(backend.api_url)
        return one_request(asked, job.envelope.message)

    def parse(self, answer: Answer) -> Verdict:
        told = _told(answer.body)
        if 200 <= answer.status < 300:
            named = told.id or told.message_id or told.MessageID or answer.headers.get("x-message-id", "")
            return Verdict("sent", named)
        words = answer.words().lower()
        if any(answer.status == status and said.lower() in words for status, said in self.gone):
            return Verdict("failed", answer.words(), permanent=True)
        return by_status(answer, idempotent=self.idempotent)

    def _backend(self, job: Job) -> Backend:
        with_django()
        made = import_module(f"anymail.backends.{self.provider}").EmailBackend
        place = {"api_url": job.sender.url} if job.sender.url else {}
        return made(**{self.key: job.secret}, **place, **self.options)

    def _message(self, job: Job) -> Message:
        from django.core.mail import EmailMultiAlternatives

        said, envelope = job.said, job.envelope
        source, target = address(job.sender.address), address(envelope.to)
        mail: Message = EmailMultiAlternatives(said.subject, said.text, str(source), [target.addr_spec])
        if said.html is not None:
            mail.attach_alternative(said.html, "text/html")
        replies = reply_address(job.sender.replies, envelope.reply_token)
        mail.reply_to = [replies] if replies else []
        for one in envelope.files:
            mail.attach(one.name, one.content, one.type)
        if envelope.unsubscribe is not None:
            mail.extra_headers |= {
                "List-Unsubscribe": f"<{envelope.unsubscribe}>",
                "List-Unsubscribe-Post": ONE_CLICK,
            }
        mail.metadata = {NAME: envelope.message}
        if self.untracked:
            mail.track_opens = mail.track_clicks = False
        return mail


class SendGrid(MailApi):
    provider = "sendgrid"
    example = (
        'sender: by_sendgrid\nprovider: sendgrid\naddress: "Shop <hello@shop.example>"\n'
        "secret_env: SENDGRID_KEY\n"
    )
    options: ClassVar[dict[str, object]] = {"generate_message_id": False}


class Mailgun(MailApi):
    provider = "mailgun"
    example = (
        'sender: by_mailgun\nprovider: mailgun\naddress: "Shop <hello@shop.example>"\n'
        "secret_env: MAILGUN_KEY\nurl: https://api.eu.mailgun.net/v3\n"
    )
    gone = ((400, "to parameter is not a valid address"), (400, "'to' parameter is not a valid address"))


class Postmark(MailApi):
    provider, key = "postmark", "server_token"
    example = (
        'sender: by_postmark\nprovider: postmark\naddress: "Shop <hello@shop.example>"\n'
        "secret_env: POSTMARK_TOKEN\n"
    )
    gone = ((422, '"errorcode":406'), (422, '"errorcode": 406'))


class Resend(MailApi):
    provider, untracked, idempotent = "resend", False, True
    example = (
        'sender: by_resend\nprovider: resend\naddress: "Shop <hello@shop.example>"\nsecret_env: RESEND_KEY\n'
    )

    def build(self, job: Job) -> Request:
        """With our id as its Idempotency-Key: the same within a day is the same message."""
        made = super().build(job)
        headers = {**made.headers, "Idempotency-Key": job.envelope.message}
        return msgspec.structs.replace(made, headers=headers)


class Brevo(MailApi):
    provider, untracked = "brevo", False
    example = (
        'sender: by_brevo\nprovider: brevo\naddress: "Shop <hello@shop.example>"\nsecret_env: BREVO_KEY\n'
    )


def one_request(asked: dict[str, Any], message: str) -> Request:
    """What anymail would have given to `requests`, as one request of ours: the same for the same message."""
    asked.pop("timeout", None)
    made = requests.Request(**asked).prepare()
    kind, body = made.headers.get("Content-Type", ""), made.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    if "boundary=" in kind:
        # The library draws it by chance.
        drawn, ours = kind.rpartition("boundary=")[2], derived_id("boundary", message)
        kind, body = kind.replace(drawn, ours), body.replace(drawn.encode(), ours.encode())
    headers = {str(name): str(value) for name, value in made.headers.items() if name != "Content-Length"}
    return Request(str(made.url), body, headers | ({"Content-Type": kind} if kind else {}), str(made.method))


def with_django() -> None:
    """anymail reads what it isn't told from Django's settings: where Django does not run, there are none."""
    from django.conf import settings

    if not settings.configured:
        settings.configure()
    from anymail.exceptions import AnymailNotSupportedWarning

    # anymail has no test account at one of them any more; our own tests hold it to its documented form.
    warnings.filterwarnings("ignore", category=AnymailNotSupportedWarning)


def _told(body: bytes) -> _Told:
    try:
        return msgspec.json.decode(body, type=_Told)
    except msgspec.MsgspecError:
        return _Told()

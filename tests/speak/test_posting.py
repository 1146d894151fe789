"""Every channel over HTTP posts to a server that takes it, cuts, is silent, breaks or sends it elsewhere.

What becomes of the message is what docs/speak.md says of its class of errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest
from msgspec.structs import replace

from hark.speak.channels import CHANNELS
from hark.speak.contract import Request, Verdict
from hark.speak.deliver import Way, posted
from hark.speak.smtp import Conversation
from hark.speak.wire import Timeouts, Wire
from tests.speak.letters import HERE, PATIENT, SOON
from tests.speak.provider import Answering, Provider, Taken
from tests.speak.test_channels import HTTP, job, sender_of
from tests.speak.test_mail_apis import ACCEPTED

DROPS_REPEATS = {"apns", "resend", "web_push", "webhook"}
"""docs/speak.md: a 5xx of these is tried again, since the same id there replaces itself or is dropped."""
ONCE = Timeouts(connect_s=20, command_s=20, final_s=3)
"""For who answers one request and not the next."""
TOKEN = b'{"access_token": "t", "expires_in": 3600}'


class Loopback(Provider):
    """In the place of any provider; a wish for a token is always granted."""

    def how(self, taken: Taken) -> Answering:
        return Answering(200, TOKEN) if taken.path == "/token" else self.answers

    @property
    def messages(self) -> list[Taken]:
        return [one for one in self.taken if one.path != "/token"]


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


def here(request: Request, loopback: Loopback) -> Request:
    """The request as it was built, to the server on loopback; HTTP/2 is asked in tests/speak/test_push."""
    parts, at = urlsplit(request.url), urlsplit(loopback.url)
    moved = urlunsplit(parts._replace(scheme=at.scheme, netloc=at.netloc))
    return replace(request, url=moved, http2=False)


def post(name: str, loopback: Loopback, answers: Answering, timeouts: Timeouts = PATIENT) -> Verdict:
    channel, loopback.answers = CHANNELS[name], answers
    if name == "fcm":
        channel.__init__()  # type: ignore[misc]  # no token of another test
    asked = job(name, f"{1:032x}")
    made = here(channel.build(replace(asked, secret=asked.secret or "key:secret")), loopback)
    grant = getattr(made, "grant", None)
    if grant is not None:
        made = replace(made, grant=replace(grant, url=f"{loopback.url}/token"))
    wire = Wire(HERE, timeouts)
    try:
        return posted(channel, made, Way(wire, Conversation(sender_of(name), timeouts, HERE)))
    finally:
        wire.close()


def accepted(name: str) -> Answering:
    status, body = ACCEPTED.get(name, (201 if name in ("twilio", "web_push") else 200, {}))
    return Answering(status, msgspec.json.encode(body) if body is not None else b"")


@pytest.mark.parametrize("name", HTTP)
def test_what_is_taken_is_sent(name: str, loopback: Loopback) -> None:
    """The answer that the provider documents for a message that it takes; one request."""
    assert post(name, loopback, accepted(name)).state == "sent"
    assert len(loopback.messages) == 1


@pytest.mark.parametrize("how", ["cut", "silent"])
@pytest.mark.parametrize("name", HTTP)
def test_an_answer_that_is_lost_leaves_it_unknown(name: str, how: str, loopback: Loopback) -> None:
    """The request was taken whole and nobody said what became of it: unknown, and posted once."""
    answers = Answering(cut=how == "cut", silent=how == "silent")
    said = post(name, loopback, answers, ONCE if name == "fcm" else SOON if answers.silent else PATIENT)
    assert (said.state, said.temporary, said.permanent) == ("unknown", False, False)
    assert len(loopback.messages) == 1


@pytest.mark.parametrize("name", HTTP)
def test_a_server_that_breaks_may_have_taken_it(name: str, loopback: Loopback) -> None:
    """5xx: unknown, but tried again where the provider drops what it has."""
    said = post(name, loopback, Answering(503, headers={"Retry-After": "9"}))
    again = name in DROPS_REPEATS
    assert (said.state, said.temporary) == (("failed", True) if again else ("unknown", False))
    assert said.retry_after_s == (9 if again else None)


@pytest.mark.parametrize("name", HTTP)
def test_a_redirect_is_refused(name: str, loopback: Loopback) -> None:
    """Nothing follows it: a failure for now, of the set-up and of no address."""
    said = post(name, loopback, Answering(307, headers={"Location": f"{loopback.url}/elsewhere"}))
    assert (said.state, said.temporary, said.permanent) == ("failed", True, False)
    assert [one.path == "/elsewhere" for one in loopback.messages] == [False]


@pytest.mark.parametrize("name", HTTP)
def test_who_is_too_fast_comes_again(name: str, loopback: Loopback) -> None:
    """429 is certainly not taken: again, no sooner than Retry-After says."""
    said = post(name, loopback, Answering(429, headers={"Retry-After": "7"}))
    assert (said.state, said.temporary, said.retry_after_s) == ("failed", True, 7.0)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_took_its_permission_back(status: int, loopback: Loopback) -> None:
    """RFC 8030: the push service does not know the subscription any more; it gets nothing ever."""
    said = post("web_push", loopback, Answering(status))
    assert (said.state, said.permanent) == ("failed", True)
    (taken,) = loopback.taken
    assert taken.headers["content-encoding"] == "aes128gcm"
    assert taken.headers["authorization"].startswith("vapid t=")

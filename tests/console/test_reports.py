"""What mail providers report, in their own forms: proven, read, and into the log."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from hark.definitions.document import Document
from hark.definitions.parse import parse
from hark.definitions.problems import DefinitionError
from hark.definitions.senders import REPORTERS
from hark.speak.channels import CHANNELS
from hark.speak.contract import Envelope, Job
from hark.speak.render import Rendered
from hark.speak.reports import HEADERS, known_by, ours
from hark.store.state import StateReader
from tests.console.collector import Collector

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.xdist_group("console")
ID = "0123456789abcdef" * 2
AT = 1_767_225_600
SECRET = "hark:swordfish"
GONE = "550 5.1.1 no such user"
BASIC = {"Authorization": "Basic " + b64encode(SECRET.encode()).decode()}


def signed(event: dict[str, Any], key: str = SECRET) -> dict[str, Any]:
    """As Mailgun signs: HMAC-SHA256 of timestamp and token."""
    token, at = "t" * 50, str(AT)
    tag = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    block = {"timestamp": at, "token": token, "signature": tag}
    return {"signature": block, "event-data": {**event, "timestamp": AT, "user-variables": {"hark": ID}}}


def mailgun(event: str, **more: Any) -> dict[str, Any]:
    status = {"message": GONE, "code": 550}
    return signed({"event": event, "recipient": "ada@shop.example", "delivery-status": status, **more})


def postmark(record: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "MessageID": "m",
        "Metadata": {"hark": ID},
        "Email": "ada@shop.example",
        **more,
    }


def sparkpost(kind: str, **more: Any) -> list[dict[str, Any]]:
    said = {
        "type": kind,
        "rcpt_to": "ada@shop.example",
        "rcpt_meta": {"hark": ID},
        "timestamp": str(AT),
        **more,
    }
    return [{"msys": {"message_event": said}}]


CUSTOM = json.dumps({"hark": ID})
SENDGRID = {
    "email": "ada@shop.example",
    "timestamp": AT,
    "sg_event_id": "e",
    "sg_message_id": "m",
    "hark": ID,
}
MAILJET = {"email": "ada@shop.example", "time": AT, "MessageID": 7, "Payload": CUSTOM}
BREVO = {"email": "ada@shop.example", "ts_epoch": AT * 1000, "message-id": "<m@x>", "X-Mailin-custom": CUSTOM}
REPORTS: dict[str, list[tuple[Any, str, bool]]] = {
    "mailgun": [
        (mailgun("delivered"), "delivered", False),
        (mailgun("failed", severity="permanent", reason="bounce"), "bounced", True),
        (mailgun("failed", severity="temporary", reason="generic"), "", False),
        (mailgun("complained"), "complained", False),
        (mailgun("opened"), "", False),
    ],
    "postmark": [
        (postmark("Delivery", Recipient="ada@shop.example"), "delivered", False),
        (postmark("Bounce", Type="HardBounce", Details=GONE), "bounced", True),
        (postmark("Bounce", Type="Transient", Details="later"), "", False),
        (postmark("SpamComplaint", Type="SpamComplaint"), "complained", False),
    ],
    "sendgrid": [
        ([{**SENDGRID, "event": "delivered", "response": "250 OK"}], "delivered", False),
        ([{**SENDGRID, "event": "bounce", "type": "bounce", "reason": GONE}], "bounced", True),
        ([{**SENDGRID, "event": "spamreport"}], "complained", False),
        ([{**SENDGRID, "event": "open"}], "", False),
    ],
    "mailjet": [
        ([{**MAILJET, "event": "sent", "smtp_reply": "sent (250 ok)"}], "delivered", False),
        ([{**MAILJET, "event": "bounce", "hard_bounce": True, "error": "user unknown"}], "bounced", True),
        ([{**MAILJET, "event": "spam", "source": "JMRPP"}], "complained", False),
    ],
    "brevo": [
        ({**BREVO, "event": "delivered"}, "delivered", False),
        ({**BREVO, "event": "hard_bounce", "reason": GONE}, "bounced", True),
        ({**BREVO, "event": "spam"}, "complained", False),
    ],
    "sparkpost": [
        (sparkpost("delivery"), "delivered", False),
        (sparkpost("bounce", bounce_class="10", raw_reason=GONE), "bounced", True),
        (sparkpost("spam_complaint"), "complained", False),
    ],
}
CASES = [(provider, *one) for provider, all_ in REPORTS.items() for one in all_]


@pytest.fixture
def senders(monkeypatch: pytest.MonkeyPatch, application: object) -> None:
    """A sender of each provider, by its name, with its secret set."""
    body = {"address": "Shop <hello@shop.example>", "host": "mail.example", "reports_env": "REPORTS"}
    found = [Document("sender", one, 1, {"sender": one, **body, "reports": one}) for one in REPORTERS]
    monkeypatch.setattr(StateReader, "documents", lambda _: found)
    monkeypatch.setenv("REPORTS", SECRET)


def post(client: Client, provider: str, body: Any, headers: dict[str, str] | None = None) -> int:
    given = BASIC if headers is None else headers
    answer = client.post(f"/reports/{provider}", json.dumps(body), "application/json", headers=given)
    return answer.status_code


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize(("provider", "body", "what", "lasting"), CASES)
def test_each_provider_is_understood(
    provider: str, body: Any, what: str, lasting: bool, senders: None, stranger: Client, collector: Collector
) -> None:
    """Delivered, bounced and complained become rows of the urgent lane with the raw report."""
    assert post(stranger, provider, body) == 200
    found = [(row["lane"], row["kind"], row["body"]["what"]) for row in collector.rows]
    assert found == ([(0, "receipt", what)] if what else [])
    for row in collector.rows:
        said = row["body"]
        assert (said["message"], said["provider"], said["permanent"]) == (ID, provider, lasting)
        assert ID in said["raw"]
        assert GONE in said["detail"] or not lasting or provider == "mailjet"


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("provider", REPORTS)
def test_what_is_not_proven_is_refused(
    provider: str, senders: None, stranger: Client, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password or signature is 400; a sender whose secret is not set takes nothing; 503 keeps it."""
    body = REPORTS[provider][0][0]
    wrong = {"Authorization": "Basic " + b64encode(b"hark:guess").decode()}
    forged = signed({"event": "complained"}, "guess") if provider == "mailgun" else body
    for headers in (wrong, {}):
        assert post(stranger, provider, forged, headers if provider != "mailgun" else BASIC) == 400
    assert post(stranger, provider, "nothing", BASIC) == 400
    collector.fails = True
    assert post(stranger, provider, body) == 503
    collector.fails = False
    monkeypatch.delenv("REPORTS")
    assert post(stranger, provider, body) == 503
    assert (post(stranger, "nobody", body), collector.rows) == (404, [])


def test_a_report_of_somebody_elses_message_is_nothing() -> None:
    """Our id is known by our own name, or by our Message-ID, and by nothing else."""
    assert ours({"hark": ID}, "") == ours({}, f"<{ID}@shop.example>") == ID
    assert ours({"hark": "x"}, "<7@sendgrid.example>") == ours({"hark": 7}, "") == ""


@pytest.mark.parametrize("provider", REPORTERS)
def test_letters_carry_our_id(provider: str) -> None:
    """In the provider's header, and in none without one; every provider of the language has its header."""
    (document,) = parse(f"sender: a\naddress: a@b.example\nreports: {provider}\nreports_env: X\n")
    job = Job(Rendered("s", None, "t"), Envelope(ID, "ada@shop.example", AT * 1_000_000), document.definition)  # type: ignore[arg-type]
    letter = CHANNELS["smtp"].build(job).data.decode()
    name, value = HEADERS[provider](ID)
    assert f"{name}: {value}" in letter
    assert known_by("", ID) == {}
    assert HEADERS.keys() == set(REPORTERS)
    with pytest.raises(DefinitionError, match="belong together"):
        parse(f"sender: a\naddress: a@b.example\nreports: {provider}\n")

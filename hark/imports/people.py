"""Lists of people as calls: who they are, what they agreed to, and which addresses must not be written to.

Mailchimp's audience export (mailchimp.com/help/view-export-contacts) is a zip with a table for each status,
told by its columns (UNSUB_TIME, CLEAN_TIME) and its name; Customer.io's export of people has `unsubscribed`
and `cio_subscription_preferences`; any other table names its columns. Nobody who left comes back by a file:
an imported "in" never stands against an "out" (`decide.subscriptions`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from hark.clock import derived_id
from hark.imports.columns import UnusableError, Values, id_text, instant_of, iso, plain
from hark.model import JSON, SECOND, ConsentName, Instant
from hark.store.contracts import address

Status: TypeAlias = Literal["in", "out", "bounced", "complained", "team", ""]
"""What a row says of being written to; "" for nothing."""

FILE = "\0file"
"""Under this name a row has the name of the file (of a zip, the file within it)."""
ROWS = 100
"""Of one row of the log: a person may be ten calls."""
LONG_AGO = SECOND
"""When somebody agreed, where the file does not say: before anything else that is known."""

WORDS: Mapping[str, Status] = {
    **dict.fromkeys(("in", "yes", "true", "1", "subscribed", "confirmed", "active", "opted_in"), "in"),
    **dict.fromkeys(("out", "no", "false", "0", "unsubscribed", "inactive", "opted_out", "left"), "out"),
    **dict.fromkeys(("bounced", "bounce", "cleaned", "hard_bounce", "undeliverable"), "bounced"),
    **dict.fromkeys(("complained", "complaint", "spam", "spamreport", "abuse"), "complained"),
    **dict.fromkeys(("suppressed", "blocked", "team", "archived", "deleted"), "team"),
    **dict.fromkeys(
        ("", "none", "unknown", "nonsubscribed", "non_subscribed", "transactional", "pending"), ""
    ),
}
"""How tables call a status; what is in no line is refused, since a guess would write to somebody who left."""


class Answer(Struct, frozen=True):
    """What a person said of one topic ("" for all), and when if the file knows."""

    status: Status
    topic: str = ""
    at: Instant | None = None
    wording: str = ""


class Person(Struct, frozen=True):
    """One row of a list."""

    customer: str
    email: str
    phone: str
    traits: dict[str, JSON]
    at: Instant | None
    """When the traits were last true, if the file knows."""
    answers: tuple[Answer, ...]


class People(Struct, frozen=True):
    """How the rows of one list become calls."""

    kind: Literal["csv", "mailchimp", "customerio"]
    topics: dict[str, str] = {}
    """By the list's name for it ("" for the list itself) the topic of ours."""
    email: str = "email"
    customer: str = ""
    phone: str = ""
    status: str = ""
    """The column with the status."""
    every: Status = ""
    """The status of all rows, where there is no column."""
    at: str = ""
    zone: str = "UTC"

    def call(self, values: Values, file: str, line: int) -> list[JSON]:
        """The calls of a row, in their order. Raises UnusableError."""
        person = self.person(values)
        calls = [_identify(person), *(_consent(person, one) for one in person.answers if _is_said(one))]
        return [
            {**who(person), "messageId": derived_id(file, line, number), **call}
            for number, call in enumerate(calls)
        ]

    def suppressions(self, values: Values) -> list[JSON]:
        """The entries of the suppression list that a row means. Raises UnusableError."""
        person = self.person(values)
        return [
            {"address": found, "why": one.status, "detail": one.wording}
            for one in person.answers
            for found in (person.email, person.phone)
            if found and one.status in ("bounced", "complained", "team")
        ]

    def person(self, values: Values) -> Person:
        """Who a row is about. Raises UnusableError where nobody can tell, or the status is no known one."""
        found = READERS[self.kind](self, values)
        if not (found.customer or found.email or found.phone):
            raise UnusableError("nobody: neither an id nor an address")
        return found

    def topic(self, theirs: str = "") -> str:
        return self.topics.get(theirs, "")


def who(person: Person) -> dict[str, JSON]:
    """The ids of a person: an address is one too, by which a later call finds the same customer."""
    stated = (("email", person.email), ("phone", person.phone))
    ids = [f"{kind}:{value}" for kind, value in stated if value]
    known = [["anonymous", one] for one in ids]
    if person.customer:
        return {"userId": person.customer, "knownAs": known}
    return {"anonymousId": ids[0], "knownAs": known}


def _identify(person: Person) -> dict[str, JSON]:
    stated = {"email": person.email, "phone": person.phone}
    traits = person.traits | {name: value for name, value in stated.items() if value}
    return {"type": "identify", "traits": traits, "context": {"active": False}} | _when(person.at)


def _is_said(answer: Answer) -> bool:
    """An "in" needs a topic; an "out" without one is of everything."""
    return answer.status == "out" or (answer.status == "in" and bool(answer.topic))


def _consent(person: Person, answer: Answer) -> dict[str, JSON]:
    left = answer.status == "out"
    said: dict[str, JSON] = {"channel": "email" if person.email else "sms", "wording": answer.wording}
    if answer.topic:
        said["topic"] = answer.topic
    name = ConsentName.UNSUBSCRIBED if left else ConsentName.CONFIRMED
    at = answer.at if left or answer.at is not None else LONG_AGO
    inactive = {"context": {"active": False}}
    return {"type": "track", "event": name.value, "properties": said} | inactive | _when(at)


def _when(at: Instant | None) -> dict[str, JSON]:
    return {} if at is None else {"timestamp": iso(at)}


def _status(text: Any) -> Status:
    word = re.sub(r"[^a-z0-9]+", "_", str("" if text is None else text).lower()).strip("_")
    if word not in WORDS:
        raise UnusableError(f"an unknown status: {text!r}")
    return WORDS[word]


def _email(value: Any) -> str:
    """The address; a row whose address can't be one is not left out in silence."""
    text = str(value or "").strip()
    if text and not address("email", text):
        raise UnusableError(f"no e-mail address: {text!r}")
    return address("email", text)


def _traits(values: Values, used: Iterable[str]) -> dict[str, JSON]:
    """All other columns, by names in snake_case."""
    skipped = {*used, FILE}
    named = {
        name: plain(value) for name, value in values.items() if name not in skipped and value is not None
    }
    return {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): value for name, value in named.items()}


def _csv(way: People, values: Values) -> Person:
    used = (way.email, way.customer, way.phone, way.status, way.at)
    status = _status(values.get(way.status)) if way.status else way.every
    at = instant_of(values.get(way.at), way.zone) if way.at else None
    answers = (Answer(status, way.topic(), at, f"import: {values.get(FILE, '')}"),) if status else ()
    customer, phone = values.get(way.customer), str(values.get(way.phone) or "")
    return Person(
        "" if customer in (None, "") else id_text(customer),
        _email(values.get(way.email)),
        address("phone", phone),
        _traits(values, filter(None, used)),
        at,
        answers,
    )


_MAILCHIMP = re.compile(
    r"(MEMBER_RATING|LATITUDE|LONGITUDE|GMTOFF|DSTOFF|CC|REGION|LAST_CHANGED|LEID|EUID|NOTES"
    r"|(OPTIN|CONFIRM)_(TIME|IP)|(UNSUB|CLEAN)_\w+)"
)
_NEVER_JOINED = re.compile(r"(non[-_ ]?subscribed|transactional)", re.IGNORECASE)


def _mailchimp(way: People, values: Values) -> Person:
    names = ("Email Address", "Phone Number")
    email, phone = (values.get(name) for name in names)
    return Person(
        "",
        _email(email),
        address("phone", str(phone or "")),
        _traits(values, {*names, *filter(_MAILCHIMP.fullmatch, values)}),
        instant_of(values.get("LAST_CHANGED"), way.zone),
        (_of_audience(way, values),),
    )


def _of_audience(way: People, values: Values) -> Answer:
    def at(*columns: str) -> Instant | None:
        found = (instant_of(values.get(column), way.zone) for column in columns)
        return next((one for one in found if one is not None), None)

    if "UNSUB_TIME" in values:
        reason = f"Mailchimp: {values.get('UNSUB_REASON') or 'unsubscribed'}"
        return Answer("out", way.topic(), at("UNSUB_TIME"), reason)
    if "CLEAN_TIME" in values:
        return Answer("bounced", "", at("CLEAN_TIME"), "Mailchimp: cleaned")
    if _NEVER_JOINED.search(str(values.get(FILE, ""))):
        return Answer("")
    return Answer("in", way.topic(), at("CONFIRM_TIME", "OPTIN_TIME"), "Mailchimp: subscribed")


_PREFERENCES = "cio_subscription_preferences"


def _customerio(way: People, values: Values) -> Person:
    chosen = {name: value for name, value in values.items() if name.startswith(_PREFERENCES)}
    used = {
        "id",
        "cio_id",
        "email",
        "phone",
        "created_at",
        "unsubscribed",
        "unsubscribed_at",
        "reason",
        *chosen,
    }
    customer = values.get("id")
    return Person(
        "" if customer in (None, "") else id_text(customer),
        _email(values.get("email")),
        address("phone", str(values.get("phone") or "")),
        _traits(values, used),
        instant_of(values.get("created_at"), way.zone),
        (*_left_all(way, values), *_of_topics(way, chosen)),
    )


def _left_all(way: People, values: Values) -> Sequence[Answer]:
    """`unsubscribed` is of everything; `reason` stands in the exported suppression list."""
    if values.get("reason") not in (None, ""):
        return (Answer(_status(values["reason"]), "", None, "Customer.io: suppressed"),)
    if not _true(values.get("unsubscribed")):
        return ()
    at = instant_of(values.get("unsubscribed_at"), way.zone)
    return (Answer("out", "", at, "Customer.io: unsubscribed"),)


def _of_topics(way: People, chosen: Values) -> list[Answer]:
    """`{"topics": {"topic_1": true}}` in one column, or a column for each topic."""
    topics: dict[str, Any] = {}
    for name, value in chosen.items():
        if name == _PREFERENCES:
            topics |= _topics(value)
        elif value is not None:
            topics[name.rpartition(".")[2]] = value
    return [
        Answer(
            "in" if str(value).lower() in ("true", "1") else "out",
            way.topics[name],
            None,
            f"Customer.io: {name}",
        )
        for name, value in topics.items()
        if name in way.topics
    ]


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")


def _topics(value: Any) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value) if isinstance(value, str) and value else value or {}
        return dict(found.get("topics") or {})
    except (msgspec.DecodeError, AttributeError, TypeError, ValueError):
        raise UnusableError(f"{_PREFERENCES} can't be read: {value!r}") from None


READERS = {"csv": _csv, "mailchimp": _mailchimp, "customerio": _customerio}

"""What is refused when it is saved, so that nobody finds out by a message that does not leave."""

from __future__ import annotations

import threading

import pytest

from hark.definitions.parse import parse, read
from hark.definitions.problems import DefinitionError
from hark.speak.checking import Checking
from hark.speak.places import NOWHERE_ELSE, Allowed
from tests.speak.test_places import FORMS, LITERALS, url_of

SMTP = 'sender: shop\naddress: "Shop <hello@shop.example>"\n'
HOOK = "sender: crm\nchannel: webhook\nsecret_env: SECRET\nurl: https://crm.example/hark\n"


def at(*addresses: str) -> Checking:
    """Every name leads to these addresses; to nothing, where none is given."""

    def by(_host: str, _port: int) -> list[str]:
        if not addresses:
            raise OSError("nobody knows it")
        return list(addresses)

    return Checking(NOWHERE_ELSE, by)


def found(text: str, checking: Checking) -> str | None:
    (document,) = parse(text)
    return checking(document.definition, [])


def test_a_sender_without_a_host_is_refused_where_this_machine_is_not_allowed() -> None:
    """It means localhost, which sending would refuse: saving says so, with what to write where."""
    with pytest.raises(DefinitionError) as refused:
        read([("shop.yaml", SMTP)], wrong=Checking(NOWHERE_ELSE))
    (problem,) = refused.value.problems
    assert str(problem).startswith("shop.yaml:1: sender shop: localhost is at ")
    assert "to outbound_allow in hark.toml" in str(problem)
    assert found(SMTP, Checking(Allowed.of(["127.0.0.1", "::1"]))) is None


@pytest.mark.parametrize("address", LITERALS)
def test_names_and_literals_that_lead_inside_are_refused(address: str) -> None:
    """By whichever name, for mail and for endpoints, also beside an address that is global."""
    for text in (f"{SMTP}host: mail.shop.example\n", HOOK):
        assert "not an address of the open internet" in (found(text, at("1.1.1.1", address)) or "")
    assert found(HOOK.replace("https://crm.example/hark", url_of(address)), at("1.1.1.1")) is not None
    if "%" not in address:
        assert found(f'{SMTP}host: "{address}"\n', at(address)) is not None


@pytest.mark.parametrize("url", [one for one in FORMS if one.startswith("http") and one.isascii()])
def test_a_place_in_a_hostile_form_is_refused(url: str) -> None:
    """The forms refused at sending are refused at saving: by the language, or by the check."""
    text = HOOK.replace("https://crm.example/hark", f"'{url}'")
    with pytest.raises(DefinitionError):
        read([("crm.yaml", text)], wrong=at("1.1.1.1"))


def test_a_resolver_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment the document is saved; the connection asks again."""
    answered = threading.Event()
    monkeypatch.setattr("hark.speak.wire.RESOLVE_S", 0.05)

    def silent(_host: str, _port: int) -> list[str]:
        answered.wait(30)
        return []

    monkeypatch.setattr("hark.speak.wire.resolve", silent)
    assert found(HOOK, Checking(NOWHERE_ELSE)) is None
    answered.set()


def test_what_leads_outside_or_cannot_be_asked_now_is_saved() -> None:
    """Without a resolver (a laptop in a train) a document can be written; each connection asks again."""
    for checking in (at("1.1.1.1", "2606:4700:4700::1111"), at()):
        assert found(f"{SMTP}host: mail.shop.example\n", checking) is None
        assert found(HOOK, checking) is None
    assert found("sender: team\nchannel: chat\nsecret_env: SLACK\n", at()) is None

"""SMTP conversations with a real server that misbehaves: what is known to be sent, and what is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from hark.definitions.types import Sender
from hark.speak.catcher import Catcher, Misbehaviour
from hark.speak.channels.smtp import Smtp
from hark.speak.contract import Letter, Lost, Verdict
from hark.speak.email import address, letter
from hark.speak.render import Rendered
from hark.speak.smtp import Conversation
from hark.speak.wire import Timeouts
from tests.speak.letters import AT, HERE, PATIENT, SOON


class Wire:
    """A sender's conversation, and what its channel makes of the answers."""

    def __init__(self, sender: Sender, timeouts: Timeouts) -> None:
        self._conversation = Conversation(sender, timeouts, HERE)

    def post(self, sent: Letter) -> Verdict:
        answer = self._conversation.post(sent)
        return answer.verdict() if isinstance(answer, Lost) else Smtp().parse(answer)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as running:
        yield running


def a_letter(number: int = 1, text: str = "Hi\n", to: str = "ada@shop.example") -> Letter:
    source, target = address("Shop <hello@shop.example>"), address(to)
    said = Rendered("Hi", None, text)
    return letter(said, message=f"{number:032x}", source=source, target=target, at=AT, unsubscribe=None)


def test_a_letter_arrives_as_it_was_built(catcher: Catcher) -> None:
    """Envelope and bytes arrive unchanged, and the server's answer is kept."""
    sent = a_letter(text="one\n.\n..two\n.three\n\n")
    assert Wire(catcher.sender(), PATIENT).post(sent) == Verdict("sent", "2.0.0 kept")
    (caught,) = catcher.caught
    assert (caught.sender, caught.recipients) == ("hello@shop.example", ("ada@shop.example",))
    assert caught.data == sent.data
    assert caught.message_id == f"<{1:032x}@shop.example>"


@pytest.mark.parametrize(
    "text", ["", ".", ".\r\n.\r\nMAIL FROM:<eve@x.example>\r\n", "a\n.\nb", "x" * 200_000]
)
def test_no_text_ends_the_message_early(text: str, catcher: Catcher) -> None:
    """Lines of dots and SMTP commands in a text are text: one message arrives, byte for byte."""
    sent = a_letter(text=text)
    assert Wire(catcher.sender(), PATIENT).post(sent).state == "sent"
    assert [caught.data.rstrip() for caught in catcher.caught] == [sent.data.rstrip()]


TEMPORARY = Verdict("failed", temporary=True)
PERMANENT = Verdict("failed", permanent=True)
FAILED = Verdict("failed")
UNKNOWN = Verdict("unknown")


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        (Misbehaviour("CONNECT", reply="421 4.3.2 too busy"), TEMPORARY),
        (Misbehaviour("CONNECT", cut=True), TEMPORARY),
        (Misbehaviour("MAIL", reply="451 4.3.0 try later"), TEMPORARY),
        (Misbehaviour("MAIL", reply="421 4.3.2 closing"), TEMPORARY),
        (Misbehaviour("MAIL", reply="550 5.1.8 we don't know you"), FAILED),
        (Misbehaviour("MAIL", cut=True), TEMPORARY),
        (Misbehaviour("RCPT", reply="450 4.2.1 mailbox busy"), TEMPORARY),
        (Misbehaviour("RCPT", reply="452 4.5.3 too many"), TEMPORARY),
        (Misbehaviour("RCPT", reply="550 5.1.1 no such user"), PERMANENT),
        (Misbehaviour("RCPT", reply="550 5.1.2 no such domain"), PERMANENT),
        (Misbehaviour("RCPT", reply="556 5.1.10 null MX"), PERMANENT),
        (Misbehaviour("RCPT", reply="550 No such user here"), PERMANENT),
        (Misbehaviour("RCPT", reply="551 User not local"), PERMANENT),
        (Misbehaviour("RCPT", reply="553 5.1.3 bad syntax"), PERMANENT),
        (Misbehaviour("RCPT", reply="550 5.1.8 bad sender"), FAILED),
        (Misbehaviour("RCPT", reply="550 5.7.1 policy"), FAILED),
        (Misbehaviour("RCPT", reply="552 mailbox full"), FAILED),
        (Misbehaviour("RCPT", cut=True), TEMPORARY),
        (Misbehaviour("DATA", reply="451 4.7.1 greylisted", keep=False), TEMPORARY),
        (Misbehaviour("DATA", reply="550 5.1.1 said too late", keep=False), FAILED),
        (Misbehaviour("DATA", reply="554 5.7.1 spam", keep=False), FAILED),
        (Misbehaviour("DATA", cut=True), UNKNOWN),
        (Misbehaviour("DATA", cut=True, keep=False), UNKNOWN),
        (Misbehaviour("DATA", slow_s=5), UNKNOWN),
    ],
)
def test_every_failure_has_its_class(wrong: Misbehaviour, verdict: Verdict, catcher: Catcher) -> None:
    """Before the final dot a failure is certain, after it a lost answer is *unknown*; 5.1.x: a dead address.

    After each of them the next letter goes out on the same wire.
    """
    wire = Wire(catcher.sender(), SOON if wrong.slow_s else PATIENT)
    catcher.misbehave(wrong)
    said = wire.post(a_letter(1))
    assert replace(said, detail="", ours=False) == verdict
    if wrong.reply:
        assert wrong.reply.split(" ", 1)[1] in said.detail
    catcher.misbehave()
    assert wire.post(a_letter(2)).state == "sent"
    assert catcher.caught[-1].message_id.startswith(f"<{2:032x}")


def test_what_is_not_known_to_have_failed_is_never_retried_by_the_wire(catcher: Catcher) -> None:
    """A cut after the final dot leaves exactly one copy at the server: the wire does not try again."""
    catcher.misbehave(Misbehaviour("DATA", cut=True))
    assert Wire(catcher.sender(), PATIENT).post(a_letter()).state == "unknown"
    assert len(catcher.caught) == 1


def test_one_recipient_s_trouble_is_not_another_s(catcher: Catcher) -> None:
    """A refused recipient leaves the connection usable for the next letter."""
    catcher.misbehave(Misbehaviour("RCPT", reply="550 5.1.1 gone", recipient="gone@shop.example"))
    wire = Wire(catcher.sender(), PATIENT)
    said = [
        wire.post(a_letter(n, to=to)) for n, to in enumerate(["gone@shop.example", "ada@shop.example"] * 3)
    ]
    assert [verdict.state for verdict in said] == ["failed", "sent"] * 3
    assert catcher.connections == 1


def test_a_connection_is_reused_and_renewed(catcher: Catcher) -> None:
    """A hundred letters share a connection, then it is renewed."""
    wire = Wire(catcher.sender(), PATIENT)
    assert all(wire.post(a_letter(number)).state == "sent" for number in range(101))
    assert catcher.connections == 2


def test_a_connection_the_server_closed_in_the_meantime_costs_nothing() -> None:
    """A server that hung up while we were idle gets the next letter on a new connection, once."""
    with Catcher() as catcher:
        wire = Wire(catcher.sender(), PATIENT)
        assert wire.post(a_letter(1)).state == "sent"
        catcher.hang_up()
        assert wire.post(a_letter(2)).state == "sent"
        assert len(catcher.caught) == 2


def test_threads_have_connections_of_their_own(catcher: Catcher) -> None:
    """Letters posted by several threads at once arrive whole, each once."""
    wire = Wire(catcher.sender(), PATIENT)
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda number: wire.post(a_letter(number)), range(80)))
    assert all(verdict.state == "sent" for verdict in said)
    assert len({caught.message_id for caught in catcher.caught}) == 80 == len(catcher.caught)
    assert catcher.connections <= 4


def test_nobody_listening_is_a_temporary_failure() -> None:
    """A server that is down has certainly accepted nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    verdict = Wire(Sender(name="s", address="a@b.example", host="127.0.0.1", port=port), PATIENT).post(
        a_letter()
    )
    assert replace(verdict, detail="", ours=False) == TEMPORARY
    assert "refused" in verdict.detail


def test_a_server_that_never_speaks_is_a_temporary_failure() -> None:
    """A port that accepts and stays silent is given up within the timeout, with nothing accepted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = Sender(name="s", address="a@b.example", host="127.0.0.1", port=silent.getsockname()[1])
        verdict = Wire(sender, Timeouts(0.3, 0.3, 0.3)).post(a_letter())
    assert replace(verdict, detail="", ours=False) == TEMPORARY


def test_a_loss_in_the_middle_of_the_text_is_certain() -> None:
    """A connection lost before the final dot was handed over is a temporary failure, not *unknown*."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answers_then_resets, args=(server,), daemon=True).start()
        sender = Sender(name="s", address="a@b.example", host="127.0.0.1", port=server.getsockname()[1])
        verdict = Wire(sender, PATIENT).post(a_letter(text=f"{'x' * 70}\n" * 300_000))
    assert replace(verdict, detail="", ours=False) == TEMPORARY


def _answers_then_resets(server: socket.socket) -> None:
    """A server that goes away while it reads the text."""
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 hi\r\n")
        for _ in range(3):
            lines.readline()
            connection.sendall(b"250 ok\r\n")
        lines.readline()
        connection.sendall(b"354 go\r\n")
        lines.read(1000)


def test_starttls_is_demanded_where_it_was_chosen(catcher: Catcher) -> None:
    """A sender with `tls: starttls` sends nothing over a connection that cannot be encrypted."""
    sender = replace(catcher.sender(), tls="starttls")
    verdict = Wire(sender, PATIENT).post(a_letter())
    assert replace(verdict, detail="", ours=False) == TEMPORARY
    assert not catcher.caught


def test_a_password_that_is_not_set_is_named(catcher: Catcher) -> None:
    """A sender with a user but no password in the environment fails and names the variable."""
    sender = replace(catcher.sender(), user="shop", password_env="HARK_TEST_NO_SUCH_PASSWORD")
    verdict = Wire(sender, PATIENT).post(a_letter())
    assert verdict.state == "failed"
    assert "HARK_TEST_NO_SUCH_PASSWORD" in verdict.detail
    assert not catcher.caught

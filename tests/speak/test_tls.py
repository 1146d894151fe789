"""Encrypted connections: with a server that proves who it is and a password, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from hark.definitions.types import Sender
from hark.speak.contract import Lost, Request
from hark.speak.wire import Wire
from tests.speak.apple import Apple, certificate
from tests.speak.letters import HERE, PATIENT
from tests.speak.test_smtp import Wire as Mail
from tests.speak.test_smtp import a_letter


class Mailbox:
    """What arrived, and as whom its sender was known."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, bool]] = []

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((envelope.original_content, session.authenticated))
        return "250 2.0.0 kept"


def only_ann(
    _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: LoginPassword
) -> AuthResult:
    return AuthResult(success=(login.login, login.password) == (b"ann", b"s3cret"), handled=False)


class FreePort(Controller):
    """Listens where the system says, so that nobody else can have taken the port."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


Serve = Callable[..., tuple[Mailbox, Sender]]


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    found = tmp_path / "server.pem"
    found.write_bytes(certificate())
    return found


@pytest.fixture
def serve(pem: Path) -> Iterator[Serve]:
    """A mail server that takes letters only encrypted and from Ann, and the sender that names it."""
    running: list[Controller] = []
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)

    def start(how: str) -> tuple[Mailbox, Sender]:
        box = Mailbox()
        more = {"ssl_context": tls} if how == "implicit" else {"tls_context": tls, "require_starttls": True}
        server = FreePort(
            box, "127.0.0.1", 0, auth_required=True, authenticator=only_ann,
            auth_require_tls=how == "starttls", **more,
        )  # fmt: skip
        server.start()
        running.append(server)
        said: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "tls": how}
        return box, Sender("s", "a@b.example", **said, user="ann", password_env="HARK_TEST_PASSWORD")

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's certificate is among those that this machine believes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))


pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
WAYS = pytest.mark.parametrize("how", ["starttls", "implicit"])


@WAYS
@pytest.mark.usefixtures("trusted")
def test_a_letter_goes_encrypted_under_its_password(
    how: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server speaks nothing else, and takes both letters, byte for byte, on one connection."""
    monkeypatch.setenv("HARK_TEST_PASSWORD", "s3cret")
    box, sender = serve(how)
    wire = Mail(sender, PATIENT)
    letters = [a_letter(1), a_letter(2)]
    assert [wire.post(one).state for one in letters] == ["sent", "sent"]
    assert box.taken == [(one.data, True) for one in letters]


@WAYS
@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_our_fault(how: str, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The letter waits, no address is suppressed, and the password is in no words."""
    monkeypatch.setenv("HARK_TEST_PASSWORD", "wr0ng")
    box, sender = serve(how)
    said = Mail(sender, PATIENT).post(a_letter())
    assert (said.state, said.temporary, said.permanent, box.taken) == ("failed", True, False, [])
    assert "535" in said.detail and "wr0ng" not in said.detail


@WAYS
def test_a_mail_server_that_nobody_vouches_for_gets_nothing(
    how: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither letter nor password: the connection ends with the certificate."""
    monkeypatch.setenv("HARK_TEST_PASSWORD", "s3cret")
    box, sender = serve(how)
    said = Mail(sender, PATIENT).post(a_letter())
    assert (said.state, said.temporary, box.taken) == ("failed", True, [])
    assert "certificate" in said.detail.lower()


def test_an_endpoint_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    """A certificate of its own making is refused before anything was said."""
    with Apple(tmp_path) as apple:
        asked = Request(f"{apple.url}/hook", b"{}")
        lost = Wire(HERE, PATIENT).exchange(asked)
        assert isinstance(lost, Lost)
        assert (lost.said, lost.verdict().temporary, apple.taken) == (False, True, [])
        assert "certificate" in lost.detail.lower()

"""APNs on loopback: HTTP/2 over TLS, answers as it is told, misbehaves on command."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.speak.provider import Answering, Taken


class Apple:
    """`with Apple(folder) as apple:` listens on 127.0.0.1; `trusted` knows its certificate."""

    def __init__(self, folder: Path) -> None:
        self.taken: list[Taken] = []
        self.answers = Answering()
        pem = folder / "apple.pem"
        pem.write_bytes(certificate())
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pem)
        self._tls.set_alpn_protocols(["h2"])
        self.trusted = ssl.create_default_context(cafile=str(pem))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(raw,), daemon=True).start()

    def _talk(self, raw: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(raw, server_side=True) as line:
                self._conversation(line)
        except OSError:
            return

    def _conversation(self, line: ssl.SSLSocket) -> None:
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        talk.initiate_connection()
        line.sendall(talk.data_to_send())
        asked: dict[int, tuple[dict[str, str], bytearray]] = {}
        while data := line.recv(65_536):
            for event in talk.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    names = {_text(name): _text(value) for name, value in event.headers or []}
                    asked[event.stream_id or 0] = names, bytearray()
                elif isinstance(event, h2.events.DataReceived):
                    asked[event.stream_id or 0][1].extend(event.data or b"")
                elif isinstance(event, h2.events.StreamEnded):
                    stream = event.stream_id or 0
                    headers, body = asked.pop(stream)
                    self.taken.append(Taken(headers[":method"], headers[":path"], headers, bytes(body)))
                    if self.answers.cut:
                        return
                    said = [(":status", str(self.answers.status)), *self.answers.headers.items()]
                    talk.send_headers(stream, said)
                    talk.send_data(stream, self.answers.body, end_stream=True)
            line.sendall(talk.data_to_send())


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def certificate() -> bytes:
    """A key and its self-signed certificate for 127.0.0.1, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apple on loopback")])
    day = datetime.datetime(2020, 1, 1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day.replace(year=2100))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + made.public_bytes(Encoding.PEM)

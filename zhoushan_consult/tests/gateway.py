"""A gateway of our own on the loopback, with a certificate of its own, that answers as it is told to."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Asked(NamedTuple):
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Gateway:
    """Listens until closed. `answers` are what it does with the next requests; the last of them stays."""

    def __init__(self, certificate):
        self.asked: list[Asked] = []
        self.answers: list[Callable] = []
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        trusted = SSLContext(PROTOCOL_TLS_SERVER)
        trusted.load_cert_chain(*certificate)
        self.server.socket = trusted.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # the client hangs up on purpose in some tests
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self):
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                gateway.asked.append(Asked(self.path, headers, body))
                answer = gateway.answers.pop(0) if len(gateway.answers) > 1 else gateway.answers[0]
                answer(self, gateway)
                self.close_connection = True

            do_GET = do_POST

            def log_message(self, *args):
                pass

        return Handler


def says(body: bytes | str, status: int = 200, **headers: str) -> Callable:
    """An answer that is given at once."""
    said = body.encode() if isinstance(body, str) else body

    def answer(handler, gateway):
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(said)

    return answer


def falls_silent(handler, gateway) -> None:
    """The request is taken, and nothing more is heard."""
    gateway.over.wait(10)


def drips(handler, gateway) -> None:
    """A byte now and then, so that no single wait is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while not gateway.over.wait(0.02):
        handler.wfile.write(b" ")


def hangs_up(handler, gateway) -> None:
    """Half an answer."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true,')


def babbles(handler, gateway) -> None:
    """No HTTP at all."""
    handler.wfile.write(b"\x00\xff" * 500 + b"\r\n\r\n")


@cache
def key_and_certificate() -> tuple[bytes, bytes]:
    """PEM of a key and of a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test gateway")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret, certificate.public_bytes(Encoding.PEM)

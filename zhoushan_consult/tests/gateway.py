"""An HTTPS server on the loopback that stands for a vendor's gateway. Each test sets its responses."""

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
    """A request that the gateway received."""

    path: str
    headers: dict[str, str]
    body: bytes


class Gateway:
    """Listens until it is closed. `answers` are its reactions to the next requests; the last one stays for all others.

    `asked` are the requests so far. `over` ends the reactions that wait.
    """

    def __init__(self, certificate):
        self.asked: list[Asked] = []
        self.answers: list[Callable] = []
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        trusted = SSLContext(PROTOCOL_TLS_SERVER)
        trusted.load_cert_chain(*certificate)
        self.server.socket = trusted.wrap_socket(self.server.socket, server_side=True)
        # In some tests the client hangs up, and the default would print a traceback.
        self.server.handle_error = lambda *_: None
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
    """A reaction: respond at once."""
    said = body.encode() if isinstance(body, str) else body

    def answer(handler, gateway):
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(said)

    return answer


def falls_silent(handler, gateway) -> None:
    """A reaction: read the request and send nothing."""
    gateway.over.wait(10)


def drips(handler, gateway) -> None:
    """A reaction: a byte every 20 ms. A timeout for each read never expires, so only a limit for the whole call helps."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while not gateway.over.wait(0.02):
        handler.wfile.write(b" ")


def hangs_up(handler, gateway) -> None:
    """A reaction: half of a response, then the end of the connection."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true,')


def babbles(handler, gateway) -> None:
    """A reaction: bytes that are not HTTP."""
    handler.wfile.write(b"\x00\xff" * 500 + b"\r\n\r\n")


@cache
def key_and_certificate() -> tuple[bytes, bytes]:
    """A key and a self-signed certificate for 127.0.0.1, both as PEM. Cached, because all tests can use the same."""
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

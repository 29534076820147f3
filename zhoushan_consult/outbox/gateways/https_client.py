"""One question to a gateway, over HTTPS: its host is the one that is set, its certificate checked, no redirect
followed, its answer bounded in time and in size."""

import io
import json
import socket
import ssl
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from zhoushan_consult.outbox.adapters import Temporary

CONNECT, TOTAL = 5.0, 10.0  # seconds: until the gateway takes the call, and until it has said all
MOST = 64 * 1024  # bytes of an answer


class Answer(NamedTuple):
    """What a gateway answered, success or refusal."""

    status: int
    body: bytes

    def told(self) -> dict:
        """Its JSON object. Raises Temporary for anything else: a proxy's page, half an answer, noise."""
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Temporary(f"短信网关的答复不是约定的格式（HTTP {self.status}）")
        return said


def ask(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Post `body` to `url`. Raises Temporary where no answer comes that could be the gateway's own."""
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        raise Temporary("没有设置短信网关的 https 地址")
    try:
        answer = _exchange(address, body, headers, until=monotonic() + TOTAL)
    except TimeoutError:
        raise Temporary("短信网关没有及时答复") from None
    except ssl.SSLError:
        raise Temporary("短信网关的证书不可信，请核对网关地址和 SMS_CA") from None
    except OSError as error:
        raise Temporary(f"连不上短信网关（{type(error).__name__}）") from None
    except HTTPException:
        raise Temporary("短信网关的答复不合 HTTP 格式") from None
    return _checked(answer)


def _checked(answer: Answer) -> Answer:
    if 300 <= answer.status < 400:
        raise Temporary(f"短信网关要转到别处（HTTP {answer.status}），没有跟去，请核对网关地址")
    if answer.status >= 500:
        raise Temporary(f"短信网关出错（HTTP {answer.status}）")
    if len(answer.body) > MOST:
        raise Temporary("短信网关的答复过长")
    return answer


def _exchange(url: SplitResult, body: bytes, headers: dict[str, str], *, until: float) -> Answer:
    trusted = ssl.create_default_context(cadata=settings.SMS_CA or None)
    with _connected(url, until) as plain:
        plain.settimeout(_left(until))
        with trusted.wrap_socket(plain, server_hostname=url.hostname) as secure:
            line = HTTPConnection(url.hostname)
            line.sock = _Line(secure, until)
            line.request("POST", url.path or "/", body, {"Host": url.netloc} | headers)
            response = line.getresponse()
            return Answer(response.status, response.read(MOST + 1))


def _connected(url: SplitResult, until: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers, all of them within CONNECT seconds."""
    soon = min(until, monotonic() + CONNECT)
    failed: OSError = OSError()
    port = url.port or 443
    for *_, address in socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address[0]), port), timeout=_left(soon))
        except OSError as error:
            failed = error
    raise failed


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Line:
    """A socket as http.client uses it. A gateway that drips byte by byte does not win time: all waits share one end."""

    def __init__(self, sock: ssl.SSLSocket, until: float):
        self.sock, self.until = sock, until

    def sendall(self, data: bytes) -> None:
        self.sock.settimeout(_left(self.until))
        self.sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Heard(self))

    def close(self) -> None:
        self.sock.close()


class _Heard(io.RawIOBase):
    def __init__(self, line: _Line):
        self.line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.line.sock.settimeout(_left(self.line.until))
        return self.line.sock.recv_into(buffer)

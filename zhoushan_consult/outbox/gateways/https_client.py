"""One HTTPS request to a gateway. The certificate is checked, no redirect is followed, and the response is limited in
time and size."""

import io
import json
import socket
import ssl
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from zhoushan_consult.outbox.adapters import TemporaryFailure

# Seconds to connect, and seconds for the whole exchange. `Adapter.send` promises to end within ten seconds.
CONNECT_TIMEOUT, TOTAL_TIMEOUT = 5.0, 10.0
MAX_RESPONSE_BYTES = 64 * 1024


class Response(NamedTuple):
    """What the gateway answered, success or refusal."""

    status: int
    body: bytes

    def json(self) -> dict:
        """The JSON object in the body. Raises TemporaryFailure for anything else, such as the page of a proxy."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            raise TemporaryFailure(f"短信网关的答复不是约定的格式（HTTP {self.status}）")
        return parsed


def post(url: str, body: bytes, headers: dict[str, str]) -> Response:
    """Post `body` to `url`. Raises TemporaryFailure if no response comes that can be the gateway's own."""
    address = urlsplit(url)
    if address.scheme != "https" or not address.hostname:
        raise TemporaryFailure("没有设置短信网关的 https 地址")
    # The reasons are our own sentences: the text of an exception may quote the request.
    try:
        response = _exchange(address, body, headers, deadline=monotonic() + TOTAL_TIMEOUT)
    except TimeoutError:
        raise TemporaryFailure("短信网关没有及时答复") from None
    except ssl.SSLError:
        raise TemporaryFailure("短信网关的证书不可信，请核对网关地址和 SMS_CA") from None
    except OSError as error:
        raise TemporaryFailure(f"连不上短信网关（{type(error).__name__}）") from None
    except HTTPException:
        raise TemporaryFailure("短信网关的答复不合 HTTP 格式") from None
    return _checked(response)


def _checked(response: Response) -> Response:
    if 300 <= response.status < 400:  # a redirect could lead the letter to another host
        raise TemporaryFailure(f"短信网关要转到别处（HTTP {response.status}），没有跟去，请核对网关地址")
    if response.status >= 500:
        raise TemporaryFailure(f"短信网关出错（HTTP {response.status}）")
    if len(response.body) > MAX_RESPONSE_BYTES:
        raise TemporaryFailure("短信网关的答复过长")
    return response


def _exchange(url: SplitResult, body: bytes, headers: dict[str, str], *, deadline: float) -> Response:
    context = ssl.create_default_context(cadata=settings.SMS_CA or None)
    with _connect(url, deadline) as plain:
        plain.settimeout(_time_left(deadline))
        with context.wrap_socket(plain, server_hostname=url.hostname) as secure:
            connection = HTTPConnection(url.hostname)
            connection.sock = _DeadlineSocket(secure, deadline)
            connection.request("POST", url.path or "/", body, {"Host": url.netloc} | headers)
            response = connection.getresponse()
            # One byte more than allowed is enough to see that the body is too long.
            return Response(response.status, response.read(MAX_RESPONSE_BYTES + 1))


def _connect(url: SplitResult, deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers. All of them share CONNECT_TIMEOUT."""
    connect_deadline = min(deadline, monotonic() + CONNECT_TIMEOUT)
    failure: OSError = OSError()
    port = url.port or 443
    for *_, address in socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address[0]), port), timeout=_time_left(connect_deadline))
        except OSError as error:
            failure = error
    raise failure


def _time_left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _DeadlineSocket:
    """A socket, as http.client uses it, whose operations share one deadline.

    A plain timeout starts again with every byte, so a gateway that sends one byte at a time could hold the worker for
    hours.
    """

    def __init__(self, sock: ssl.SSLSocket, deadline: float):
        self.sock, self.deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self.sock.settimeout(_time_left(self.deadline))
        self.sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self))

    def close(self) -> None:
        self.sock.close()


class _DeadlineReader(io.RawIOBase):
    def __init__(self, source: _DeadlineSocket):
        self.source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.source.sock.settimeout(_time_left(self.source.deadline))
        return self.source.sock.recv_into(buffer)

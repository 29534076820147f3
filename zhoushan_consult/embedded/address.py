"""The address at which the embedded run listens: this machine only, unless HOST names another."""

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ALL_INTERFACES = {"0.0.0.0", "::"}  # noqa: S104, only compared with

NOT_LOCAL = "HOST={host} 不是这台机器的地址：请改用本机地址，或去掉 HOST。"


class PortInUse(Exception):
    """Another program listens at this port."""


@dataclass(frozen=True)
class ListenAddress:
    """A host address and a port to listen at."""

    host: str = "127.0.0.1"
    port: int = 8000

    @classmethod
    def from_environment(cls) -> "ListenAddress":
        """From HOST and PORT. Raises ValueError with a sentence for the person who typed them."""
        port = os.environ.get("PORT") or "8000"
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"端口 PORT={port} 不对：请用 1 到 65535 之间的数字，例如 PORT=8001 make run。")
        return cls(_resolve(os.environ.get("HOST") or "127.0.0.1"), int(port))

    @property
    def local_host(self) -> str:
        """The address by which this machine can reach the site itself."""
        return "127.0.0.1" if self.host in ALL_INTERFACES else self.host

    @property
    def url(self) -> str:
        """The address that people open, and that is written in letters."""
        host = _network_address() if self.host in ALL_INTERFACES else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def var_dir(self) -> Path:
        """The folder of keys, database and letters."""
        return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()

    def check_free(self) -> None:
        """Check that we can listen here. Raises PortInUse, or ValueError if the address is not of this machine."""
        try:
            family, kind, _, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                # Without it, a port that was closed a minute ago would count as in use.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise self._explanation(error) from error

    def _explanation(self, error: OSError) -> Exception:
        other_port = f"PORT={self.port + 1 if self.port < 65535 else 8000} make run"
        if isinstance(error, PermissionError):
            return ValueError(f"没有使用端口 {self.port} 的权限：请换 1024 以上的端口，例如 {other_port}。")
        if error.errno == errno.EADDRNOTAVAIL:
            return ValueError(NOT_LOCAL.format(host=self.host))
        return PortInUse(
            f"端口 {self.port} 已被占用：请先停止占用它的程序，或换一个端口，例如 {other_port}。"
        )

    def settings(self) -> dict[str, str]:
        """Environment variables for the settings. Those that are set already are kept."""
        hosts = ["127.0.0.1", "localhost", "[::1]", self.url.removeprefix("http://").rpartition(":")[0]]
        defaults = {
            "DJANGO_SETTINGS_MODULE": "zhoushan_consult.settings",
            "SITE_URL": self.url,
            "VAR_DIR": str(self.var_dir),
            "ALLOWED_HOSTS": ",".join([*hosts, socket.gethostname()]),
            "LOG_LEVEL": "WARNING",  # people read the terminal
        }
        return {name: os.environ.get(name) or value for name, value in defaults.items()}


def _resolve(host: str) -> str:
    """The IP address of a host name, because granian accepts no names. Raises ValueError for an unknown name."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        raise ValueError(NOT_LOCAL.format(host=host)) from None


def _network_address() -> str:
    """The address of this machine in its network. Nothing is sent: a UDP connect only looks up the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]

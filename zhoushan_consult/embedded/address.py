"""Where the embedded run is served: this machine only, unless HOST says otherwise."""

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104, compared with only

NOT_OURS = "HOST={host} 不是这台机器的地址：请改用本机地址，或去掉 HOST。"


class PortInUse(Exception):
    """Something else listens there."""


@dataclass(frozen=True)
class Place:
    """An address to listen at."""

    host: str = "127.0.0.1"
    port: int = 8000

    @classmethod
    def from_environment(cls) -> "Place":
        """From HOST and PORT. Raises ValueError with a sentence for whoever typed them."""
        port = os.environ.get("PORT") or "8000"
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"端口 PORT={port} 不对：请用 1 到 65535 之间的数字，例如 PORT=8001 make run。")
        return cls(_numeric(os.environ.get("HOST") or "127.0.0.1"), int(port))

    @property
    def near(self) -> str:
        """The address by which this machine reaches itself."""
        return "127.0.0.1" if self.host in ANYWHERE else self.host

    @property
    def url(self) -> str:
        """The address that people open, and that letters name."""
        host = _own_address() if self.host in ANYWHERE else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def var(self) -> Path:
        """The folder of keys, database and letters."""
        return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()

    def claim(self) -> None:
        """Make sure that we can listen here. Raises PortInUse, or ValueError where the address is not ours."""
        try:
            family, kind, _, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> Exception:
        another = f"PORT={self.port + 1 if self.port < 65535 else 8000} make run"
        if isinstance(error, PermissionError):
            return ValueError(f"没有使用端口 {self.port} 的权限：请换 1024 以上的端口，例如 {another}。")
        if error.errno == errno.EADDRNOTAVAIL:
            return ValueError(NOT_OURS.format(host=self.host))
        return PortInUse(f"端口 {self.port} 已被占用：请先停止占用它的程序，或换一个端口，例如 {another}。")

    def settings(self) -> dict[str, str]:
        """What the settings need to know; what is set already stays as it is."""
        hosts = ["127.0.0.1", "localhost", "[::1]", self.url.removeprefix("http://").rpartition(":")[0]]
        ours = {
            "DJANGO_SETTINGS_MODULE": "zhoushan_consult.settings",
            "SITE_URL": self.url,
            "VAR_DIR": str(self.var),
            "ALLOWED_HOSTS": ",".join([*hosts, socket.gethostname()]),
            "LOG_LEVEL": "WARNING",  # the terminal is for people
        }
        return {name: os.environ.get(name) or value for name, value in ours.items()}


def _numeric(host: str) -> str:
    """The address that a name stands for: the web server knows no names. Raises ValueError for one unknown."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        raise ValueError(NOT_OURS.format(host=host)) from None


def _own_address() -> str:
    """The address of this machine in its network. Nothing is sent: the route alone is asked for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]

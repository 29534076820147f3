"""`make run` as a person sees it: it starts, greets, restarts what dies, serves despite slow visitors, and stops."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IMODE
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from django.conf import settings

from zhoushan_consult.embedded import greeting, keys_file
from zhoushan_consult.embedded.address import ListenAddress, PortInUse

PATIENCE = 180  # seconds until a test gives up
SLOW = 200  # visitors
LEFT_BEHIND = {
    "DJANGO_SETTINGS_MODULE",
    "DATABASE_URL",
    "REDIS_URL",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "HOST",
    "VAR_DIR",
}
LEFT_BEHIND |= {"SECRET_KEY", "VAULT_KEYS", "VAULT_INDEX_KEY", "AUDIT_KEY"}

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.xdist_group("embedded"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


@dataclass
class House:
    """A running `make run`, and what it has printed."""

    process: subprocess.Popen
    port: int
    printed: list[str] = field(default_factory=list)

    def has_printed(self, text: str) -> bool:
        return any(text in line for line in self.printed)

    def answers(self, path: str = "/healthz") -> int | None:
        """The status of the page; None where there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def children(self) -> dict[str, int]:
        """Process numbers by what they are: granian, worker, beat."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                status, command = (folder / "status").read_text(), (folder / "cmdline").read_text()
            except OSError:
                continue  # it ended meanwhile
            if f"PPid:\t{self.process.pid}\n" in status and (
                kind := re.search("granian|worker|beat", command)
            ):
                found[kind[0]] = int(folder.name)
        return found

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def until(condition: Callable[[], object], seen: object = "") -> None:
    latest = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < latest, f"it never came about: {seen}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running(var: Path, **environment) -> Iterator[House]:
    """`make run`, until it says how to stop it; afterwards it is stopped in every case."""
    port = free_port()
    ours = {name: value for name, value in os.environ.items() if name not in LEFT_BEHIND}
    process = subprocess.Popen(
        [sys.executable, "-m", "zhoushan_consult.embedded"],
        env=ours | {"VAR_DIR": str(var), "PORT": str(port), "PYTHONUNBUFFERED": "1"} | environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    house = House(process, port)
    listener = threading.Thread(target=lambda: house.printed.extend(iter(process.stdout.readline, "")))
    listener.start()
    try:
        until(lambda: house.has_printed("已启动") or process.poll() is not None, house.printed)
        yield house
    finally:
        process.poll() is None and house.stop()
        listener.join()
        process.stdout.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with running(tmp_path_factory.mktemp("run") / "var") as house:
        yield house


def test_greeting_names_the_address_and_accounts_that_can_sign_in(house):
    assert house.has_printed(f"http://127.0.0.1:{house.port}/admin/")
    people = [line.split() for line in house.printed if "haiyan-" in line]
    assert len(people) >= 7
    for username, *_, password in (people[0], people[-1]):
        assert signs_in(house.port, username, password), username


def signs_in(port: int, username: str, password: str) -> bool:
    browser = build_opener(HTTPCookieProcessor())
    address = f"http://127.0.0.1:{port}/admin/login/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.open(address).read().decode())[1]
    form = {"username": username, "password": password, "csrfmiddlewaretoken": token, "next": "/help/"}
    try:
        return browser.open(address, urlencode(form).encode()).url.endswith("/help/")
    except HTTPError:
        return False


def test_public_pages_answer_once_the_run_is_ready(house):
    until(lambda: house.answers("/readyz") == 200)
    assert {house.answers(path) for path in ["/", "/days/", "/register/", "/status/", "/help/"]} == {200}


def test_files_of_the_run_are_readable_by_their_owner_only(house, tmp_path_factory):
    var = next(tmp_path_factory.getbasetemp().glob("run*/var"))
    modes = {path.name: S_IMODE(path.stat().st_mode) for path in [var, *var.iterdir()]}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


@pytest.mark.parametrize("name", ["granian", "worker", "beat"])
def test_killed_child_process_is_started_again(house, name):
    until(lambda: len(house.children()) == 3)
    killed = house.children()[name]
    os.kill(killed, signal.SIGKILL)
    until(lambda: house.children().get(name, killed) != killed)
    until(lambda: house.answers() == 200)


BEGINNINGS = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half the headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "half a form": b"POST /register/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\nenterprise_name=",
    "half a file": b"POST /register/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000\r\n\r\n--x\r\n",
    "questions without listening": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_pages_are_served_despite_many_slow_visitors(house, beginning):
    until(lambda: house.answers() == 200)
    with ExitStack() as stack:
        for _ in range(SLOW):
            visitor = stack.enter_context(socket.create_connection(("127.0.0.1", house.port), timeout=10))
            visitor.sendall(BEGINNINGS[beginning])
        assert [house.answers("/register/") for _ in range(20)] == [200] * 20


def test_stop_ends_every_child_process_and_keeps_the_data(tmp_path):
    with running(tmp_path / "var") as first:
        started = [*first.children().values()]
        assert first.stop(signal.SIGTERM) == 0
    assert len(started) == 3
    assert not any(Path(f"/proc/{number}").exists() for number in started)
    with running(tmp_path / "var") as second:
        pass
    assert logins(second) == logins(first) != []
    assert first.has_printed("演示数据（") and not second.has_printed("演示数据（")


def logins(house: House) -> list[str]:
    return [line for line in house.printed if "haiyan-" in line]


def test_killed_run_leaves_no_child_process(tmp_path):
    with running(tmp_path / "var", DEMO="0") as house:
        started = house.children().values()
        house.process.kill()
        until(lambda: not any(Path(f"/proc/{number}").exists() for number in started))


def test_run_without_demo_makes_no_accounts(tmp_path):
    with running(tmp_path / "var", DEMO="0") as house:
        assert house.answers("/") == 200
    assert not (tmp_path / "var" / "logins.txt").exists()


class TestListenAddress:
    @pytest.fixture(autouse=True)
    def bare(self, monkeypatch):
        for name in ["HOST", "PORT", "SITE_URL", "ALLOWED_HOSTS"]:
            monkeypatch.delenv(name, raising=False)

    def test_default_address_is_this_machine_only(self):
        assert ListenAddress.from_environment() == ListenAddress("127.0.0.1", 8000)

    @pytest.mark.parametrize("port", ["0", "65536", "http", "80 80", "-1", "８０００"])
    def test_invalid_port_is_refused_with_advice(self, monkeypatch, port):
        monkeypatch.setenv("PORT", port)
        with pytest.raises(ValueError, match="PORT=8001 make run"):
            ListenAddress.from_environment()

    def test_port_in_use_is_refused_with_advice(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(PortInUse, match=f"端口 {port} 已被占用.*PORT={port + 1} make run"):
                ListenAddress(port=port).check_free()

    def test_host_may_be_a_name_of_this_machine(self, monkeypatch):
        monkeypatch.setenv("HOST", "localhost")
        assert ListenAddress.from_environment().host in {"127.0.0.1", "::1"}

    def test_unknown_host_name_is_refused(self, monkeypatch):
        monkeypatch.setenv("HOST", "no-such-machine.invalid")
        with pytest.raises(ValueError, match="不是这台机器的地址"):
            ListenAddress.from_environment()

    def test_address_of_another_machine_is_refused(self):
        with pytest.raises(ValueError, match="不是这台机器的地址"):
            ListenAddress("192.0.2.1", free_port()).check_free()

    def test_site_url_names_the_port_of_the_run(self):
        assert ListenAddress(port=8123).settings()["SITE_URL"] == "http://127.0.0.1:8123"

    def test_allowed_hosts_name_this_machine_when_it_serves_others(self):
        hosts = ListenAddress("0.0.0.0", 8000).settings()["ALLOWED_HOSTS"].split(",")
        assert {"127.0.0.1", "localhost", socket.gethostname()} <= set(hosts)
        assert not {"*", "0.0.0.0"} & set(hosts)

    def test_site_url_set_by_hand_is_kept(self, monkeypatch):
        monkeypatch.setenv("SITE_URL", "https://zixun.example.cn")
        assert ListenAddress().settings()["SITE_URL"] == "https://zixun.example.cn"


class TestKeys:
    def test_keys_file_is_made_once_and_for_its_owner_only(self, tmp_path):
        file = keys_file(tmp_path / "var")
        written = file.read_text()
        assert S_IMODE(file.stat().st_mode) == 0o600
        assert keys_file(tmp_path / "var").read_text() == written
        assert [line.partition("=")[0] for line in written.splitlines()] == [
            "SECRET_KEY", "VAULT_KEYS", "VAULT_INDEX_KEY", "AUDIT_KEY",
        ]  # fmt: skip

    def test_keys_file_is_made_once_by_parallel_callers(self, tmp_path):
        texts = []
        askers = [
            threading.Thread(target=lambda: texts.append(keys_file(tmp_path).read_text())) for _ in range(20)
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert len(set(texts)) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["keys.env"]


def test_greeting_aligns_chinese_and_latin_columns(tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    (tmp_path / "logins.txt").write_text(
        "a\t水处\t处室经办\tpw\nlonger\t综合处\t初审\tpw\n", encoding="utf-8"
    )
    rows = [line for line in greeting.text(ListenAddress()).splitlines() if line.endswith("pw")]
    assert rows == ["  a       水处    处室经办  pw", "  longer  综合处  初审      pw"]

"""The whole service as processes on this machine, to be killed, frozen and brought back; and the firms that visit it."""

import http.client
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from html import unescape
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

import psycopg2
import redis

from zhoushan_consult.embedded.processes import BEAT, WEB, WORKER

BASE_DIR = Path(__file__).resolve().parent.parent
PATIENCE = 40  # seconds until a test gives up
ANSWER_WITHIN = (
    10  # seconds a firm waits for a page: far more than a page takes, less than a broker that does not answer
)
NOT_OURS = {"DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "SECURE_SSL_REDIRECT"}
ELSEWHERE = "America/New_York"  # where the machine and its database believe they stand: months are Zhoushan's
TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
RECEIPT = re.compile(r'受理编号 <strong class="num">([^<]+)<')


def until(what: str, look: Callable[[], object], wanted: object = None, seconds: float = PATIENCE) -> None:
    """Look until there is what is `wanted`, or just something. Fails after `seconds`, saying `what`, and what was found last."""
    latest = time.monotonic() + seconds
    while not ((found := look()) if wanted is None else (found := look()) == wanted):
        assert time.monotonic() < latest, f"not within {seconds} s: {what}; found {found!r}"
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, all different."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


class Process:
    """One process with all that it starts, in a process group of its own; what it says goes to a log."""

    def __init__(self, command: str, environment: dict[str, str], log: Path):
        self.command, self.environment, self.log = shlex.split(command), environment, log
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.running = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send(self, number: int) -> None:
        """A signal to it and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, number)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, without a warning."""
        if self.running:
            self.send(signal.SIGKILL)
            self.running.wait()

    def dies(self) -> bool:
        """Whether it was killed, by itself or by another; waits for its end."""
        return self.running.wait(PATIENCE) == -signal.SIGKILL

    def lives(self) -> bool:
        return self.running.poll() is None

    def end(self) -> None:
        """Ask it to finish what it does, and wait until it has."""
        self.running.terminate()
        self.running.wait(PATIENCE)

    def children(self) -> list[int]:
        """The process numbers of those that it started itself."""
        return [
            int(number) for number in _proc(self.running.pid, f"task/{self.running.pid}/children").split()
        ]


class Files:
    """SQLite: a database is a file in the folder of its house, and is copied with it."""

    def copy(self, original: str, name: str) -> None:
        pass

    drop = create = lambda self, name: None

    def environment(self, name: str) -> dict[str, str]:
        return {}

    def connect(self, name: str, var: Path):
        return sqlite3.connect(var / "consult.sqlite3", timeout=20)


class Server:
    """PostgreSQL: databases of our own on the server at `url`, whose own database is left alone."""

    def __init__(self, url: str):
        self.url = url

    def create(self, name: str, options: str = "") -> None:
        self.drop(name)
        self._administer(f'CREATE DATABASE "{name}" {options}')

    def copy(self, original: str, name: str) -> None:
        self.create(name, f'TEMPLATE "{original}"')

    def drop(self, name: str) -> None:
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def environment(self, name: str) -> dict[str, str]:
        return {"DATABASE_URL": urlsplit(self.url)._replace(path=f"/{name}").geturl()}

    def connect(self, name: str, var: Path):
        return psycopg2.connect(self.url, dbname=name)

    def _administer(self, statement: str) -> None:
        with closing(psycopg2.connect(self.url, dbname="postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)


class Ground:
    """An empty service, migrated and with its static files, to be copied. On the database at `url`, else on SQLite."""

    def __init__(self, folder: Path, url: str | None):
        self.databases = Server(url) if url else Files()
        self.folder, self.name = folder, f"consult_processes_{os.getpid()}"

    def prepare(self) -> None:
        self.databases.create(self.name)
        environment = environment_for(self.folder) | self.databases.environment(self.name)
        for command in ["migrate", "collectstatic"]:
            subprocess.run(
                [sys.executable, "manage.py", command, "--no-input", "--verbosity", "0"],
                cwd=BASE_DIR,
                env=environment,
                check=True,
            )

    def house(self, var: Path) -> "House":
        shutil.copytree(self.folder, var)
        self.databases.copy(self.name, f"{self.name}_copy")
        return House(var, self.databases, f"{self.name}_copy")

    def clear(self) -> None:
        for name in [self.name, f"{self.name}_copy"]:
            self.databases.drop(name)


def environment_for(var: Path) -> dict[str, str]:
    """What every process of a house is told: rounds each second, a gateway that counts, one trusted proxy in front.

    And that it stands elsewhere.
    """
    kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "e2e.settings",
        "VAR_DIR": str(var),
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXIES": "1",  # so that each firm may come from an address of its own
        "OUTBOX_EVERY": "1",
        "DUTIES_EVERY": "1",
        "SMS_ADAPTER": "e2e.counting.Gateway",
        "EMAIL_ADAPTER": "e2e.counting.Gateway",
        "PYTHONUNBUFFERED": "1",
        "TZ": ELSEWHERE,
        "PGTZ": ELSEWHERE,
    }


class House:
    """The service of one test: web, Redis, workers and beats, none of them running yet."""

    def __init__(self, var: Path, databases: Files | Server, database: str):
        self.var, self.databases, self.database = var, databases, database
        port, redis_port = free_ports(2)
        self.url, redis_url = f"http://127.0.0.1:{port}", f"redis://127.0.0.1:{redis_port}/0"
        self.broker = redis.Redis.from_url(redis_url, socket_timeout=2, retry=None)
        self.environment = environment_for(var) | databases.environment(database)
        self.environment |= {"SITE_URL": self.url, "REDIS_URL": redis_url}
        self.processes: list[Process] = []
        self.redis = self._process(
            "redis-server --save '' --appendonly no --bind 127.0.0.1 --port " + str(redis_port)
        )
        self.web = self._python(f"{WEB} --host 127.0.0.1 --port {port}")

    def worker(self, **environment: str) -> Process:
        return self._python(f"{WORKER} --hostname worker{len(self.processes)}@house", **environment)

    def beat(self) -> Process:
        return self._python(BEAT)

    def _python(self, command: str, **environment: str) -> Process:
        return self._process(f"{shlex.quote(sys.executable)} {command}", **environment)

    def _process(self, command: str, **environment: str) -> Process:
        log = self.var / f"{len(self.processes)}.log"
        self.processes.append(Process(command, self.environment | environment, log))
        return self.processes[-1]

    def open(self, *others: Process) -> None:
        """Start Redis, the web server and `others`, and wait until the first two answer."""
        self.start(self.web, *others)
        until("the site answers", self.answers)

    def start(self, *processes: Process) -> None:
        """Start Redis and `processes`, and wait until Redis answers."""
        for process in [self.redis, *processes]:
            process.start()
        until("Redis answers", self.redis_answers)

    def play(self, scene: str) -> None:
        """Write into the database what `scenes` tells under this name."""
        command = [sys.executable, "-m", "e2e.scenes", scene]
        subprocess.run(command, cwd=BASE_DIR, env=self.environment, check=True)

    def redis_answers(self) -> bool:
        with suppress(redis.RedisError):
            return self.broker.ping()
        return False

    def idle_workers(self) -> int:
        """How many workers wait for Redis to give them something to do."""
        return [client["cmd"] for client in self.broker.client_list()].count("brpop")

    def answers(self) -> bool:
        with (
            suppress(OSError, http.client.HTTPException),
            build_opener().open(f"{self.url}/healthz", timeout=2) as answer,
        ):
            return answer.status == 200
        return False

    def rows(self, statement: str) -> list[tuple]:
        """What the database answers."""
        with closing(self.databases.connect(self.database, self.var)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall()

    def column(self, statement: str) -> list:
        """The first column of what the database answers."""
        return [row[0] for row in self.rows(statement)]

    def change(self, statement: str) -> None:
        with closing(self.databases.connect(self.database, self.var)) as connection:
            connection.cursor().execute(statement)
            connection.commit()

    def book(self, name: str) -> list[str]:
        """The lines of a book of `counting`."""
        with suppress(FileNotFoundError):
            return (self.var / name).read_text(encoding="utf-8").splitlines()
        return []

    def close(self) -> None:
        """Kill whatever still runs, and print the logs, which pytest shows if the test failed."""
        for process in self.processes:
            process.kill()
            if process.running:
                print(f"── {shlex.join(process.command)}\n{process.log.read_text(errors='replace')[-3000:]}")
        self.broker.close()


class Unavailable(AssertionError):
    """The site said 503, and when to come back, on `page`; to a form that was sent, or to a page that was asked for."""

    def __init__(self, error: HTTPError, sent: bool):
        self.page, self.sent = error.read().decode(), sent and error.url.endswith("/register/")
        self.retry_after = error.headers["Retry-After"]
        super().__init__(self.page[:3000])

    def form(self) -> dict[str, str]:
        """What the button of the page sends again."""
        return {name: unescape(value) for name, value in HIDDEN.findall(self.page)}


class OneWait(HTTPRedirectHandler):
    """To a person an answer and the page that it leads to are one wait: the second has what the first left of it."""

    def http_request(self, request: Request) -> Request:
        request.began = time.monotonic()
        return request

    def http_error_302(self, request: Request, *details):
        request.timeout = max(request.timeout - (time.monotonic() - request.began), 0.001)
        return super().http_error_302(request, *details)


class Firm:
    """A firm at its own browser and address, with one form to send, that waits `patience` seconds for what it asks."""

    def __init__(self, house: House, number: int, typed: dict[str, str], patience: float = ANSWER_WITHIN):
        self.house, self.number, self.typed, self.patience = house, number, typed, patience
        self.browser: OpenerDirector = build_opener(HTTPCookieProcessor(), OneWait())
        self.form: dict[str, str] = {}
        self.sent_away: list[Unavailable] = []

    def register(self) -> str:
        """Open the form, send it, and read the 受理编号 from the receipt. The same form, however often it is called."""
        self.form = self.form or self.typed | dict(TOKEN.findall(self._page())) | {"step": "submit"}
        page = self._page(self.form)
        found = RECEIPT.search(page)
        assert found, f"firm {self.number} was shown no receipt but: {page[:3000]}"
        return found[1]

    def register_in_the_end(self) -> str:
        """The same, but where the connection is cut, it tries again, as people do."""
        return self._in_the_end(self.register)

    def register_though_sent_away(self) -> str:
        """The same, but where the site says 503, it presses the button of that page, or reloads one that has none."""

        def attempt() -> str | None:
            try:
                return self.register()
            except Unavailable as page:
                self.sent_away.append(page)
                self.form = page.form() if page.sent else self.form
                return None

        return self._in_the_end(attempt)

    def _in_the_end(self, attempt: Callable[[], str | None]) -> str:
        receipts: list[str] = []

        def once_more() -> list[str]:
            with suppress(OSError, http.client.HTTPException):
                receipts.extend(filter(None, [attempt()]))
            return receipts

        until(f"a receipt for firm {self.number}", once_more)
        return receipts[0]

    def _page(self, form: dict[str, str] | None = None) -> str:
        data = urlencode(form).encode() if form else None
        address = {"X-Forwarded-For": f"198.51.100.{self.number}"}
        try:
            request = Request(f"{self.house.url}/register/", data, address)
            with self.browser.open(request, timeout=self.patience) as answer:
                return answer.read().decode()
        except HTTPError as error:
            if error.code == 503:
                raise Unavailable(error, sent=bool(form)) from None
            words = error.read().decode()[:3000]
            raise AssertionError(f"firm {self.number} was answered {error.code}: {words}") from error
        except TimeoutError as error:
            raise TimeoutError(f"firm {self.number} had no answer within {self.patience} s") from error


def all_at_once(deeds: list[Callable[[], str]], hands: int = 20) -> list[str]:
    """What each of the deeds returned, done by so many hands at a time."""
    with ThreadPoolExecutor(hands) as pool:
        return [done.result() for done in [pool.submit(deed) for deed in deeds]]


def _proc(number: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{number}/{name}").read_text()
    return ""

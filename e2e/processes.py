"""The whole service as real processes, which a test kills, freezes and restarts; and the firms that use it."""

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
# Seconds until a test gives up.
TIMEOUT = 40
# Seconds that a firm waits for a page: far more than a page needs, less than a broker call that gets no answer.
RESPONSE_TIMEOUT = 10
DROPPED_VARIABLES = {"DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "SECURE_SSL_REDIRECT"}
# The zone of the machine and its database. Dates and months must be those of Zhoushan all the same.
OTHER_TIME_ZONE = "America/New_York"
TOKEN = re.compile(r'name="(csrfmiddlewaretoken|form_token)" value="([^"]+)"')
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
RECEIPT = re.compile(r'受理编号 <strong class="num">([^<]+)<')


def wait_until(
    what: str, look: Callable[[], object], wanted: object = None, seconds: float = TIMEOUT
) -> None:
    """Call `look` until it returns `wanted`, or anything true. Fails after `seconds` with `what` and the last value."""
    deadline = time.monotonic() + seconds
    while not ((found := look()) if wanted is None else (found := look()) == wanted):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}; found {found!r}"
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Different ports at which no program listens."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


class Process:
    """A process with all its children, in a process group of its own. Its output goes to a log."""

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
        """Send a signal to it and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, number)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        if self.running:
            self.send(signal.SIGKILL)
            self.running.wait()

    def was_killed(self) -> bool:
        """Wait for its end. Returns whether SIGKILL ended it."""
        return self.running.wait(TIMEOUT) == -signal.SIGKILL

    def is_running(self) -> bool:
        return self.running.poll() is None

    def stop(self) -> None:
        """Ask it to finish its work and stop, and wait for that."""
        self.running.terminate()
        self.running.wait(TIMEOUT)

    def children(self) -> list[int]:
        """The process ids of its direct children."""
        return [
            int(number) for number in _proc(self.running.pid, f"task/{self.running.pid}/children").split()
        ]


class SqliteDatabases:
    """SQLite: the database is a file in the folder of the deployment, and is copied with it."""

    def copy(self, original: str, name: str) -> None:
        pass

    drop = create = lambda self, name: None

    def environment(self, name: str) -> dict[str, str]:
        return {}

    def connect(self, name: str, var: Path):
        return sqlite3.connect(var / "consult.sqlite3", timeout=20)


class PostgresDatabases:
    """PostgreSQL: new databases on the server at `url`. The database named in `url` is not touched."""

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


class DeploymentTemplate:
    """An empty service with migrations and static files, which is copied. It uses the server at `url`, else SQLite."""

    def __init__(self, folder: Path, url: str | None):
        self.databases = PostgresDatabases(url) if url else SqliteDatabases()
        self.folder, self.name = folder, f"consult_processes_{os.getpid()}"

    def prepare(self) -> None:
        self.databases.create(self.name)
        environment = service_environment(self.folder) | self.databases.environment(self.name)
        for command in ["migrate", "collectstatic"]:
            subprocess.run(
                [sys.executable, "manage.py", command, "--no-input", "--verbosity", "0"],
                cwd=BASE_DIR,
                env=environment,
                check=True,
            )

    def deployment(self, var: Path) -> "Deployment":
        shutil.copytree(self.folder, var)
        self.databases.copy(self.name, f"{self.name}_copy")
        return Deployment(var, self.databases, f"{self.name}_copy")

    def clear(self) -> None:
        for name in [self.name, f"{self.name}_copy"]:
            self.databases.drop(name)


def service_environment(var: Path) -> dict[str, str]:
    """The environment of every process: tasks each second, a gateway that logs, one trusted proxy, another time zone."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED_VARIABLES}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "e2e.settings",
        "VAR_DIR": str(var),
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXIES": "1",  # each firm sends its own address in X-Forwarded-For
        "OUTBOX_EVERY": "1",
        "DUTIES_EVERY": "1",
        "SMS_ADAPTER": "e2e.recording.RecordingGateway",
        "EMAIL_ADAPTER": "e2e.recording.RecordingGateway",
        "PYTHONUNBUFFERED": "1",
        "TZ": OTHER_TIME_ZONE,
        "PGTZ": OTHER_TIME_ZONE,
    }


class Deployment:
    """The service of one test: web, Redis, workers and beats. None of them is started yet."""

    def __init__(self, var: Path, databases: SqliteDatabases | PostgresDatabases, database: str):
        self.var, self.databases, self.database = var, databases, database
        port, redis_port = free_ports(2)
        self.url, redis_url = f"http://127.0.0.1:{port}", f"redis://127.0.0.1:{redis_port}/0"
        self.broker = redis.Redis.from_url(redis_url, socket_timeout=2, retry=None)
        self.environment = service_environment(var) | databases.environment(database)
        self.environment |= {"SITE_URL": self.url, "REDIS_URL": redis_url}
        self.processes: list[Process] = []
        self.redis = self._process(
            "redis-server --save '' --appendonly no --bind 127.0.0.1 --port " + str(redis_port)
        )
        self.web = self._python(f"{WEB} --host 127.0.0.1 --port {port}")

    def worker(self, **environment: str) -> Process:
        return self._python(f"{WORKER} --hostname worker{len(self.processes)}@deployment", **environment)

    def beat(self, **environment: str) -> Process:
        return self._python(BEAT, **environment)

    def _python(self, command: str, **environment: str) -> Process:
        return self._process(f"{shlex.quote(sys.executable)} {command}", **environment)

    def _process(self, command: str, **environment: str) -> Process:
        log = self.var / f"{len(self.processes)}.log"
        self.processes.append(Process(command, self.environment | environment, log))
        return self.processes[-1]

    def open(self, *others: Process) -> None:
        """Start Redis, the web server and `others`. Wait until Redis and the web server answer."""
        self.start(self.web, *others)
        wait_until("the site answers", self.answers)

    def start(self, *processes: Process) -> None:
        """Start Redis and `processes`. Wait until Redis answers."""
        for process in [self.redis, *processes]:
            process.start()
        wait_until("Redis answers", self.redis_answers)

    def load_scenario(self, name: str) -> None:
        """Fill the database with a function of `scenarios`."""
        command = [sys.executable, "-m", "e2e.scenarios", name]
        subprocess.run(command, cwd=BASE_DIR, env=self.environment, check=True)

    def redis_answers(self) -> bool:
        with suppress(redis.RedisError):
            return self.broker.ping()
        return False

    def idle_workers(self) -> int:
        """How many workers wait for a task."""
        return [client["cmd"] for client in self.broker.client_list()].count("brpop")

    def answers(self) -> bool:
        with (
            suppress(OSError, http.client.HTTPException),
            build_opener().open(f"{self.url}/healthz", timeout=2) as answer,
        ):
            return answer.status == 200
        return False

    def rows(self, statement: str) -> list[tuple]:
        """The rows that the database returns."""
        with closing(self.databases.connect(self.database, self.var)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall()

    def column(self, statement: str) -> list:
        """The first column of the rows that the database returns."""
        return [row[0] for row in self.rows(statement)]

    def execute(self, statement: str) -> None:
        with closing(self.databases.connect(self.database, self.var)) as connection:
            connection.cursor().execute(statement)
            connection.commit()

    def read_log(self, name: str) -> list[str]:
        """The lines of a log of `recording`."""
        with suppress(FileNotFoundError):
            return (self.var / name).read_text(encoding="utf-8").splitlines()
        return []

    def close(self) -> None:
        """Kill all processes, and print their logs, which pytest shows if the test failed."""
        for process in self.processes:
            process.kill()
            if process.running:
                print(f"── {shlex.join(process.command)}\n{process.log.read_text(errors='replace')[-3000:]}")
        self.broker.close()


class ServiceUnavailable(AssertionError):
    """The site answered 503 with `page`. `sent` says whether the request was a form."""

    def __init__(self, error: HTTPError, sent: bool):
        self.page, self.sent = error.read().decode(), sent and error.url.endswith("/register/")
        self.retry_after = error.headers["Retry-After"]
        super().__init__(self.page[:3000])

    def form(self) -> dict[str, str]:
        """The fields that the button of the page sends again."""
        return {name: unescape(value) for name, value in HIDDEN.findall(self.page)}


class SharedTimeoutRedirects(HTTPRedirectHandler):
    """A response and the page to which it redirects share one timeout: a person waits for both together."""

    def http_request(self, request: Request) -> Request:
        request.started = time.monotonic()
        return request

    def http_error_302(self, request: Request, *details):
        request.timeout = max(request.timeout - (time.monotonic() - request.started), 0.001)
        return super().http_error_302(request, *details)


class Firm:
    """A firm with its own browser and address. It sends one form, and waits `patience` seconds for each response."""

    def __init__(
        self, deployment: Deployment, number: int, typed: dict[str, str], patience: float = RESPONSE_TIMEOUT
    ):
        self.deployment, self.number, self.typed, self.patience = deployment, number, typed, patience
        self.browser: OpenerDirector = build_opener(HTTPCookieProcessor(), SharedTimeoutRedirects())
        self.form: dict[str, str] = {}
        self.unavailable_pages: list[ServiceUnavailable] = []

    def register(self) -> str:
        """Open the form, send it, and read the 受理编号 from the receipt. A second call sends the same form again."""
        self.form = self.form or self.typed | dict(TOKEN.findall(self._page())) | {"step": "submit"}
        page = self._page(self.form)
        found = RECEIPT.search(page)
        assert found, f"firm {self.number} was shown no receipt but: {page[:3000]}"
        return found[1]

    def register_with_retries(self) -> str:
        """Like `register`, but try again if the connection breaks, as people do."""
        return self._retry(self.register)

    def register_through_503(self) -> str:
        """Like `register`, but after a 503 press the button of that page, or reload a page that has no button."""

        def attempt() -> str | None:
            try:
                return self.register()
            except ServiceUnavailable as page:
                self.unavailable_pages.append(page)
                self.form = page.form() if page.sent else self.form
                return None

        return self._retry(attempt)

    def _retry(self, attempt: Callable[[], str | None]) -> str:
        receipts: list[str] = []

        def attempt_again() -> list[str]:
            with suppress(OSError, http.client.HTTPException):
                receipts.extend(filter(None, [attempt()]))
            return receipts

        wait_until(f"a receipt for firm {self.number}", attempt_again)
        return receipts[0]

    def _page(self, form: dict[str, str] | None = None) -> str:
        data = urlencode(form).encode() if form else None
        address = {"X-Forwarded-For": f"198.51.100.{self.number}"}
        try:
            request = Request(f"{self.deployment.url}/register/", data, address)
            with self.browser.open(request, timeout=self.patience) as answer:
                return answer.read().decode()
        except HTTPError as error:
            if error.code == 503:
                raise ServiceUnavailable(error, sent=bool(form)) from None
            words = error.read().decode()[:3000]
            raise AssertionError(f"firm {self.number} was answered {error.code}: {words}") from error
        except TimeoutError as error:
            raise TimeoutError(f"firm {self.number} had no answer within {self.patience} s") from error


def run_concurrently(tasks: list[Callable[[], str]], threads: int = 20) -> list[str]:
    """The results of the tasks, run by so many threads at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return [done.result() for done in [pool.submit(task) for task in tasks]]


def _proc(number: int, name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{number}/{name}").read_text()
    return ""

"""The processes of the embedded run: web, worker and beat. They start together, are restarted when they die, and stop
together."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from .address import BASE_DIR, ListenAddress

# Seconds that a process may use to finish its work, before it is killed.
STOP_TIMEOUT = 20
# A process that lived less than QUICK_DEATH seconds would most likely die again immediately. It waits RESTART_DELAY seconds.
QUICK_DEATH = 10
RESTART_DELAY = 5
POLL_INTERVAL = 0.5
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1

# Granian, because gunicorn (gthread) answered no request at all while 200 slow connections were open. A slow visitor
# occupies a thread while the form comes in, so there are many threads. They sleep, and hold no database
# connection. A visitor whose headers do not come within ten seconds is disconnected.
WEB = """
    -m granian --interface wsgi --workers 2 --blocking-threads 256 --backlog 2048
    --http1-buffer-size 65536 --http1-header-read-timeout 10000 --workers-kill-timeout 10
    --respawn-failed-workers --respawn-interval 0.5 --log-level error
    zhoushan_consult.wsgi:application
"""
# As root, as in a container, Celery warns at each start about pickled messages. Messages here are plain JSON.
WORKER = """
    -W "ignore:You're running the worker with superuser privileges"
    -m celery --quiet --app zhoushan_consult worker --pool solo --loglevel WARNING
    --without-gossip --without-mingle --without-heartbeat
"""
BEAT = "-m celery --quiet --app zhoushan_consult beat --loglevel WARNING --pidfile="


class StopRequest:
    """Whether a signal to stop has come. A plain flag: a signal handler may not take a lock, as threading.Event does."""

    is_set = False

    def set(self, *signal_and_frame) -> None:
        self.is_set = True

    def wait(self, seconds: float) -> bool:
        """Sleep for `seconds`, or until the request comes. Returns whether it came."""
        deadline = time.monotonic() + seconds
        while not self.is_set and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.is_set


@dataclass
class ManagedProcess:
    """A process with all its children, in a process group of its own."""

    name: str
    arguments: str  # for this Python
    process: subprocess.Popen | None = None
    started: float = 0.0
    not_before: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *shlex.split(self.arguments)],
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            # Ctrl-C in the terminal then reaches this launcher only, which stops all processes in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # safe, because this launcher has one thread
        )

    def restart_if_dead(self) -> None:
        """Start it again if it has died, but not again and again without a pause."""
        if self.process is None:
            if time.monotonic() >= self.not_before:
                self.start()
        elif self.process.poll() is not None:
            self._schedule_restart()

    def _schedule_restart(self) -> None:
        self.signal(signal.SIGKILL)  # children that it may have left behind
        delay = RESTART_DELAY if time.monotonic() - self.started < QUICK_DEATH else 0
        self.not_before = time.monotonic() + delay
        when = f"{delay} 秒后" if delay else "正在"
        print(f"{self.name}意外停止（代码 {self.process.returncode}），{when}重新启动。", flush=True)
        self.process = None

    def signal(self, number: int) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until `deadline` on the monotonic clock, then kill what is left of the group."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0, deadline - time.monotonic()))
            self.signal(signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """All processes of the embedded run. At the end of the `with` block they are stopped, also after an exception."""

    def __init__(self, address: ListenAddress):
        web = f"{WEB} --host {address.host} --port {address.port}"
        self.processes = [
            ManagedProcess("网站", web),
            ManagedProcess("后台任务", WORKER),
            ManagedProcess("定时器", BEAT),
        ]

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *error) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in self.processes:
            process.signal(signal.SIGTERM)
        for process in self.processes:
            process.wait_or_kill(deadline)

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def restart_dead(self) -> None:
        for process in self.processes:
            process.restart_if_dead()

    def watch(self, stop: StopRequest) -> None:
        """Restart what dies, until the request to stop comes."""
        while not stop.wait(POLL_INTERVAL):
            self.restart_dead()


def _die_with_parent() -> None:
    """Linux sends a SIGTERM if the launcher itself is killed. On other systems the process then goes on alone."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

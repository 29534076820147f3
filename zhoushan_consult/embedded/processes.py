"""The processes of the embedded run: web, worker and beat, started together, mended when one dies, stopped together."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from .address import BASE_DIR, Place

PATIENCE = 20  # seconds to end what is being done, before it is killed
QUICK = 10  # seconds: one that lived shorter is not started again at once
REST = 5  # seconds
LOOK_EVERY = 0.5  # seconds
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG

# Slow visitors cost a thread each while their form comes in, so there are many; they sleep, and hold no connection
# to the database. Headers that do not come are given up after ten seconds.
WEB = """
    -m granian --interface wsgi --workers 2 --blocking-threads 256 --backlog 2048
    --http1-buffer-size 65536 --http1-header-read-timeout 10000 --workers-kill-timeout 10
    --respawn-failed-workers --respawn-interval 0.5 --log-level error
    zhoushan_consult.wsgi:application
"""
# As root, as in a container, Celery warns on every start, though messages here are plain JSON.
WORKER = """
    -W "ignore:You're running the worker with superuser privileges"
    -m celery --quiet --app zhoushan_consult worker --pool solo --loglevel WARNING
    --without-gossip --without-mingle --without-heartbeat
"""
BEAT = "-m celery --quiet --app zhoushan_consult beat --loglevel WARNING --pidfile="


class Stop:
    """Whether somebody asked to stop. A plain flag, for a signal handler may take no lock."""

    told = False

    def tell(self, *signal_and_frame) -> None:
        self.told = True

    def wait(self, seconds: float) -> bool:
        """Sleep, though no longer than until told; says whether."""
        latest = time.monotonic() + seconds
        while not self.told and time.monotonic() < latest:
            time.sleep(0.1)
        return self.told


@dataclass
class Child:
    """One process with all that it starts, in a process group of its own."""

    name: str
    command: str  # what this Python is told
    process: subprocess.Popen | None = None
    started: float = 0.0
    not_before: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *shlex.split(self.command)],
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # safe: this process has one thread
        )

    def mend(self) -> None:
        """Start it again if it has died, though not over and over."""
        if self.process is None:
            if time.monotonic() >= self.not_before:
                self.start()
        elif self.process.poll() is not None:
            self._bury()

    def _bury(self) -> None:
        self.signal(signal.SIGKILL)  # what it may have left behind
        rest = REST if time.monotonic() - self.started < QUICK else 0
        self.not_before = time.monotonic() + rest
        when = f"{rest} 秒后" if rest else "正在"
        print(f"{self.name}意外停止（代码 {self.process.returncode}），{when}重新启动。", flush=True)
        self.process = None

    def signal(self, number: int) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def await_end(self, latest: float) -> None:
        """Wait until `latest` on the monotonic clock, then kill whatever is left of it."""
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0, latest - time.monotonic()))
            self.signal(signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """All children. Leaving the block stops them, whatever happened in it."""

    def __init__(self, place: Place):
        web = f"{WEB} --host {place.host} --port {place.port}"
        self.children = [Child("网站", web), Child("后台任务", WORKER), Child("定时器", BEAT)]

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *error) -> None:
        latest = time.monotonic() + PATIENCE
        for child in self.children:
            child.signal(signal.SIGTERM)
        for child in self.children:
            child.await_end(latest)

    def start(self) -> None:
        for child in self.children:
            child.start()

    def mend(self) -> None:
        for child in self.children:
            child.mend()

    def watch(self, stop: Stop) -> None:
        """Mend what dies until told to stop."""
        while not stop.wait(LOOK_EVERY):
            self.mend()


def _die_with_parent() -> None:
    """Ask Linux for a SIGTERM should the launcher itself be killed; elsewhere the child goes on alone."""
    if LIBC:
        LIBC.prctl(DIE_WITH_PARENT, signal.SIGTERM)

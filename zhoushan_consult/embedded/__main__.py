"""`python -m zhoushan_consult.embedded`: prepare, start, print the addresses, and keep all running until told to stop."""

import http.client
import math
import os
import signal
import subprocess
import sys
import time

from . import greeting
from .address import ListenAddress, PortInUse
from .processes import StopRequest, Supervisor

# Seconds until the first answer. After that a message says that it takes longer.
SLOW_START = 60
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    stop = StopRequest()
    for number in STOP_SIGNALS:
        signal.signal(number, stop.set)
    try:
        address = ListenAddress.from_environment()
        address.check_free()
    except (ValueError, PortInUse) as error:
        return _fail(str(error), 2)
    os.umask(0o077)  # keys, database and letters are for the owner only
    os.environ.update(address.settings())
    if not _prepare(stop):
        if stop.is_set:
            return 0
        return _fail("准备没有完成，原因见上。改正后请再运行 make run，已有的数据不受影响。", 1)
    _run(address, stop)
    print("已停止。数据都在，再次运行 make run 接着使用。", flush=True)
    return 0


def _run(address: ListenAddress, stop: StopRequest) -> None:
    with Supervisor(address) as supervisor:
        supervisor.start()
        if _wait_for_answer(address, supervisor, stop):
            print(greeting.text(address), flush=True)
        supervisor.watch(stop)
        print("\n正在停止……", flush=True)


def _prepare(stop: StopRequest) -> bool:
    """Bring keys, database and static files up to date. In a process of its own, so that this one stays small."""
    command = [sys.executable, "-m", "zhoushan_consult.embedded.preparation"]
    preparation = subprocess.Popen(command, start_new_session=True)
    while preparation.poll() is None:
        if stop.wait(0.1):
            preparation.terminate()
    return preparation.returncode == 0 and not stop.is_set


def _wait_for_answer(address: ListenAddress, supervisor: Supervisor, stop: StopRequest) -> bool:
    """Wait until the site answers, and print a message if that takes long. False if the request to stop came first."""
    report_at = time.monotonic() + SLOW_START
    while not stop.wait(0.2):
        supervisor.restart_dead()
        if _answers(address):
            return True
        if time.monotonic() > report_at:
            print("网站还没有应答，仍在启动，请看上面的提示。按 Ctrl-C 停止。", flush=True)
            report_at = math.inf
    return False


def _answers(address: ListenAddress) -> bool:
    connection = http.client.HTTPConnection(address.local_host, address.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _fail(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

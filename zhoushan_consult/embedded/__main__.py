"""`python -m zhoushan_consult.embedded`: prepare, start, say where to look, and keep it running until told to stop."""

import http.client
import math
import os
import signal
import subprocess
import sys
import time

from . import greeting
from .address import Place, PortInUse
from .processes import Stop, Supervisor

START_WITHIN = 60  # seconds for the first answer
TOLD_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    stop = Stop()
    for number in TOLD_TO_STOP:
        signal.signal(number, stop.tell)
    try:
        place = Place.from_environment()
        place.claim()
    except (ValueError, PortInUse) as refusal:
        return _say(str(refusal), 2)
    os.umask(0o077)  # keys, database, letters: for the owner only
    os.environ.update(place.settings())
    if not _prepare(stop):
        return (
            0
            if stop.told
            else _say("准备没有完成，原因见上。改正后请再运行 make run，已有的数据不受影响。", 1)
        )
    _keep_running(place, stop)
    print("已停止。数据都在，再次运行 make run 接着使用。", flush=True)
    return 0


def _keep_running(place: Place, stop: Stop) -> None:
    with Supervisor(place) as household:
        household.start()
        if _answers(place, household, stop):
            print(greeting.text(place), flush=True)
        household.watch(stop)
        print("\n正在停止……", flush=True)


def _prepare(stop: Stop) -> bool:
    """Bring keys, database and static files up to date, in a process of its own: this one stays small."""
    command = [sys.executable, "-m", "zhoushan_consult.embedded.preparation"]
    preparing = subprocess.Popen(command, start_new_session=True)
    while preparing.poll() is None:
        if stop.wait(0.1):
            preparing.terminate()
    return preparing.returncode == 0 and not stop.told


def _answers(place: Place, household: Supervisor, stop: Stop) -> bool:
    """Wait until the site answers, and say so if that takes long; False if told to stop before."""
    late = time.monotonic() + START_WITHIN
    while not stop.wait(0.2):
        household.mend()
        if _alive(place):
            return True
        if time.monotonic() > late:
            print("网站还没有应答，仍在启动，请看上面的提示。按 Ctrl-C 停止。", flush=True)
            late = math.inf
    return False


def _alive(place: Place) -> bool:
    connection = http.client.HTTPConnection(place.near, place.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())

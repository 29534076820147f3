"""The broker of the embedded run: a folder with one small file for each message.

Kombu's own `filesystem` transport writes in place, so a reader can take half a message and lose it (86 of 20 227 in a
stress test), and one empty file stops its worker. Here a message appears as a whole, exactly one reader takes it, and a
message that cannot be read is moved to another folder. Messages only say that work may be due; the database says which.
So all of them are deleted at a restart. There is no fanout and therefore no remote control.
"""

import os
import shutil
import time
from pathlib import Path
from queue import Empty
from urllib.parse import quote
from uuid import uuid4

import redis
from django.conf import settings
from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

# The folder for messages that no reader could parse.
UNREADABLE = "unreadable"


class Channel(virtual.Channel):
    """Each queue is a folder below the transport option `folder`."""

    @property
    def folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _queue(self, queue: str) -> Path:
        folder = self.folder / f"queue-{quote(queue, safe='')}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _waiting(self, queue: str) -> list[Path]:
        """The messages of `queue`, the oldest first. Their names begin with the time of the wall clock, common to all processes."""
        return sorted(self._queue(queue).glob("*.msg"))

    def _put(self, queue, message, **kwargs):
        target = self._queue(queue) / f"{time.time_ns():020d}-{uuid4().hex}.msg"
        # Written under another name and renamed: no reader sees half a message.
        part = target.with_suffix(".part")
        try:
            part.write_text(dumps(message), encoding="utf-8")
            os.replace(part, target)
        except OSError as error:
            raise ChannelError(f"cannot write {target}") from error

    def _get(self, queue, timeout=None):
        for path in self._waiting(queue):
            if (taken := _take(path)) and (message := self._open(taken)):
                return message
        raise Empty

    def _open(self, taken: Path) -> dict | None:
        """The message in `taken`, and deletes the file; None if the message cannot be parsed."""
        try:
            message = loads(taken.read_text(encoding="utf-8"))
            # Kombu would parse it later, outside this method, and stop the worker on a bad one.
            self.Message(message, channel=self)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            _move_aside(taken, self.folder / UNREADABLE)
            return None
        taken.unlink()  # before the task runs: a message carries no data, and the next one will come
        return message

    def _size(self, queue):
        return len(self._waiting(queue))

    def _purge(self, queue):
        return sum(1 for path in self._waiting(queue) if _discard(path))


class Transport(virtual.Transport):
    """`filesystem://`, registered in celery.py. The transport option `folder` names the folder."""

    Channel = Channel
    driver_type = driver_name = "filesystem"
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct"]))

    def driver_version(self):
        return "1"


def embedded_folder() -> Path:
    """The folder of the messages if REDIS_URL is not set."""
    return Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]))


def wipe(folder: Path) -> None:
    """Delete every message in `folder`. Called at the start of the embedded run, before any worker starts."""
    shutil.rmtree(folder, ignore_errors=True)


def reachable(seconds: float = 1.0) -> bool:
    """Whether the broker answers within `seconds`: Redis to a ping, or the folder is writable."""
    if not settings.REDIS_URL:
        return _writable(embedded_folder())
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None
        ) as server:
            return bool(server.ping())
    except (redis.RedisError, OSError):
        return False


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _take(path: Path) -> Path | None:
    """Rename the file, which only one process can do. None if another was first."""
    taken = path.with_suffix(".taken")
    try:
        os.rename(path, taken)
    except FileNotFoundError:
        return None
    return taken


def _discard(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _move_aside(taken: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    os.replace(taken, folder / taken.name)

"""The broker of the embedded run: a folder of small files, one a message.

Kombu's own `filesystem` transport writes in place, so a reader may take half a message and lose it, and one
empty file stops its worker. Here a message appears whole or not at all, is taken by exactly one reader, and what
cannot be read is set aside. Messages say only that a round is due; the database is the truth, so none outlives a
restart. There is no fanout and hence no remote control.
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

UNREADABLE = "unreadable"  # the folder for messages that no reader could open


class Channel(virtual.Channel):
    """Queues as folders below the transport option `folder`."""

    @property
    def folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _queue(self, queue: str) -> Path:
        folder = self.folder / f"queue-{quote(queue, safe='')}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _waiting(self, queue: str) -> list[Path]:
        """The messages of `queue`, oldest first by the wall clock, which all processes share."""
        return sorted(self._queue(queue).glob("*.msg"))

    def _put(self, queue, message, **kwargs):
        target = self._queue(queue) / f"{time.time_ns():020d}-{uuid4().hex}.msg"
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
        """The message in `taken`, whose file is then gone; None if nobody could read it."""
        try:
            message = loads(taken.read_text(encoding="utf-8"))
            self.Message(message, channel=self)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            _set_aside(taken, self.folder / UNREADABLE)
            return None
        taken.unlink()
        return message

    def _size(self, queue):
        return len(self._waiting(queue))

    def _purge(self, queue):
        return sum(1 for path in self._waiting(queue) if _discard(path))


class Transport(virtual.Transport):
    """`filesystem://`, with the folder in the transport option `folder` (registered in celery.py)."""

    Channel = Channel
    driver_type = driver_name = "filesystem"
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct"]))

    def driver_version(self):
        return "1"


def embedded_folder() -> Path:
    """Where the messages of this service lie while no Redis is named."""
    return Path(str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]))


def wipe(folder: Path) -> None:
    """Forget every message in `folder`: for the start of the embedded run, before any worker."""
    shutil.rmtree(folder, ignore_errors=True)


def reachable(seconds: float = 1.0) -> bool:
    """Whether the broker answers within `seconds`: Redis a ping, the folder a write."""
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
    """Rename, which the system lets one process win; None if another was first."""
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


def _set_aside(taken: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    os.replace(taken, folder / taken.name)

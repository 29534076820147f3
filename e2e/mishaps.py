"""A worker that dies by its own hand, at the statement that the test names, and whose clock stands still.

DIE_AT is "before 7" or "after 7": at the seventh statement since the deed began, the process is killed before the
database hears of it, or before anybody hears what the database said. "before 5 UPDATE outbox_notice" counts such
statements only. The deed is the duty that DUTY names, and the worker has no other; or a sweep, where SMS_ADAPTER is
`DoomedGateway`. STANDS_AT is the time.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import count
from signal import SIGKILL

from django.db import connection
from django.utils.module_loading import import_string

from zhoushan_consult.duties.kinds import Kind

from .counting import Gateway, note

STATEMENTS = "statements.book"


class Fate:
    """Lets every statement of a connection through, and writes it down, until it is time."""

    def __init__(self, when: str = "", number: str = "0", *only: str):
        self.when, self.number, self.only = when, int(number), " ".join(only)
        self.numbers = count(1)

    def __call__(self, execute: Callable, sql: str, params, many: bool, context: dict):
        words = sql.replace('"', "")
        number = next(self.numbers) if words.startswith(self.only) else 0
        note(STATEMENTS, ("inside " if context["connection"].in_atomic_block else "outside ") + words[:40])
        self._die_if("before", number)
        result = execute(sql, params, many, context)
        self._die_if("after", number)
        return result

    def _die_if(self, when: str, number: int) -> None:
        if (when, number) == (self.when, self.number):
            os.kill(os.getpid(), SIGKILL)


class DoomedGateway(Gateway):
    """Made first of all in a sweep, it lets the counting begin."""

    def __init__(self):
        _begin()


def _begin() -> None:
    """From here on statements are counted; once begun, it goes on."""
    if not any(isinstance(wrapper, Fate) for wrapper in connection.execute_wrappers):
        connection.execute_wrappers.append(Fate(*os.environ["DIE_AT"].split()))


def _doomed(kind: Kind) -> Kind:
    def run(about: str, due_at: datetime, now: datetime) -> int:
        _begin()
        return kind.run(about, due_at, now)

    return replace(kind, run=run) if "DIE_AT" in os.environ else kind


if "DUTY" in os.environ:
    ONLY_DUTY = _doomed(import_string(os.environ["DUTY"]))

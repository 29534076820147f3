"""A worker that kills itself at the SQL statement that the test names, and whose clock stands still.

CRASH_AT is "before 7" or "after 7": the process is killed at the seventh statement of the work, before the database gets
it, or before the worker gets the answer. "before 5 UPDATE outbox_notice" counts only statements that begin so. The work
is the duty that DUTY names, and the worker has no other; or a run of the outbox, if SMS_ADAPTER is `CrashingGateway`.
FROZEN_TIME is the time.
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

from .recording import RecordingGateway, append_line

STATEMENT_LOG = "statements.log"


class CrashPoint:
    """An execute wrapper that logs every statement of a connection, and kills the process at one of them."""

    def __init__(self, when: str = "", number: str = "0", *only: str):
        self.when, self.number, self.only = when, int(number), " ".join(only)
        self.numbers = count(1)

    def __call__(self, execute: Callable, sql: str, params, many: bool, context: dict):
        statement = sql.replace('"', "")
        number = next(self.numbers) if statement.startswith(self.only) else 0
        place = "inside " if context["connection"].in_atomic_block else "outside "
        append_line(STATEMENT_LOG, place + statement[:40])
        self._crash_if("before", number)
        result = execute(sql, params, many, context)
        self._crash_if("after", number)
        return result

    def _crash_if(self, when: str, number: int) -> None:
        if (when, number) == (self.when, self.number):
            os.kill(os.getpid(), SIGKILL)


class CrashingGateway(RecordingGateway):
    """Starts the counting. The adapter is the first thing that a run of the outbox creates."""

    def __init__(self):
        _start_counting()


def _start_counting() -> None:
    """Count statements from now on. A second call changes nothing."""
    if not any(isinstance(wrapper, CrashPoint) for wrapper in connection.execute_wrappers):
        connection.execute_wrappers.append(CrashPoint(*os.environ["CRASH_AT"].split()))


def _with_crash_point(kind: Kind) -> Kind:
    def run(about: str, due_at: datetime, now: datetime) -> int:
        _start_counting()
        return kind.run(about, due_at, now)

    return replace(kind, run=run) if "CRASH_AT" in os.environ else kind


if "DUTY" in os.environ:
    ONLY_DUTY = _with_crash_point(import_string(os.environ["DUTY"]))

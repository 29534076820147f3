"""An empty service for each run, quickly: a copy of one that is migrated once."""

import sqlite3

from django.core.management import call_command
from django.db import connection

from appointments import answers
from triage import earlier_answers
from triage.rulebook import versions
from zhoushan_consult.refreshed_cache import RefreshedCache
from zhoushan_consult.workdays import overrides


def unchanging_router() -> RefreshedCache:
    """The rules of a run never change. The service builds its router again each day, which would take a tenth of the run."""
    return RefreshedCache(versions._load, lambda now: 0, every=0)


class Database:
    """`reset` gives an empty service, as after `migrate`."""

    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        # The rules of a run never change. The service builds its router again each day, which would take a tenth of the run.
        versions.router_cache = RefreshedCache(versions._load, lambda now: 0, every=0)
        self._keep()

    def reset(self) -> None:
        self._restore()
        for cache in (answers.published_index, earlier_answers.released_index):
            cache.invalidate()
        overrides.cache.invalidate()

    def clear(self) -> None:
        connection.close()

    def _keep(self) -> None:
        self._template = sqlite3.connect(":memory:")
        connection.connection.backup(self._template)

    def _restore(self) -> None:
        self._template.backup(connection.connection)


class Postgres(Database):
    """On a server: a database of its own, made again from a template for each run."""

    def __init__(self, name: str):
        self.name, self.template = name, f"{name}_template"

    def _keep(self) -> None:
        connection.close()
        self._execute(
            f'DROP DATABASE IF EXISTS "{self.template}"',
            f'ALTER DATABASE "{self.name}" RENAME TO "{self.template}"',
        )

    def _restore(self) -> None:
        connection.close()
        self._execute(
            f'DROP DATABASE IF EXISTS "{self.name}"',
            f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}"',
        )

    def clear(self) -> None:
        connection.close()
        self._execute(f'DROP DATABASE IF EXISTS "{self.name}"', f'DROP DATABASE IF EXISTS "{self.template}"')

    def create(self) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self.name}"', f'CREATE DATABASE "{self.name}"')

    def _execute(self, *statements: str) -> None:
        with connection._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

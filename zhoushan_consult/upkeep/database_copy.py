"""A copy of the database for experiments. It is deleted afterwards, and the data itself is never changed: no row, no
number of a sequence, and no lock for which another process would wait.

SQLite is copied into a file by its backup API (`cp` of a live WAL database damaged 6 of 16 copies). PostgreSQL is copied
into temporary tables, which hide the real ones from this connection; after that the server refuses it all other writes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

# Seconds between two attempts while another process writes.
BACKUP_SLEEP = 0.05
# The copy of a large table may take longer than the statement timeout of the pages.
NO_TIMEOUT = "SET statement_timeout = 0"


@contextmanager
def working_copy() -> Iterator[None]:
    """Inside the block the database connection leads to a copy. Raises ImproperlyConfigured for other databases."""
    copiers = {"sqlite": _in_a_file, "postgresql": _in_temporary_tables}
    if connection.vendor not in copiers:
        raise ImproperlyConfigured("演练只支持 SQLite 和 PostgreSQL。")
    # The next query opens a new connection, which leads to the copy.
    connection.close()
    try:
        with copiers[connection.vendor]():
            yield
    finally:
        connection.close()


@contextmanager
def _in_a_file() -> Iterator[None]:
    real = connection.settings_dict["NAME"]
    # A TemporaryDirectory can be read by its owner only.
    with TemporaryDirectory(prefix="rehearsal-", dir=settings.VAR_DIR) as folder:
        copy = Path(folder) / "copy.sqlite3"
        _back_up(str(real), copy)
        connection.settings_dict["NAME"] = copy
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous = OFF")  # a copy need not survive a power cut
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = real


def _back_up(real: str, copy: Path) -> None:
    # Read-only, so that a mistake here cannot change the data.
    source = sqlite3.connect(f"file:{real}?mode=ro", uri=True, timeout=20)
    target = sqlite3.connect(copy)
    try:
        source.backup(target, sleep=BACKUP_SLEEP)
    finally:
        target.close()
        source.close()


@contextmanager
def _in_temporary_tables() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(NO_TIMEOUT)
        with transaction.atomic():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all tables as of one instant
            for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
                _copy_table(cursor, table)
        cursor.execute("SET default_transaction_read_only = on")  # temporary tables may still be written
    yield


def _copy_table(cursor, table: str) -> None:
    """Copy the rows, constraints and indexes, and give the identity column a sequence of its own."""
    name = connection.ops.quote_name(table)
    cursor.execute("SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s::regclass", [name])
    real = f"{cursor.fetchone()[0]}.{name}"
    cursor.execute(f"CREATE TEMPORARY TABLE {name} (LIKE {real} INCLUDING ALL)")
    cursor.execute(f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM {real}")  # noqa: S608
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attidentity <> ''", [name]
    )
    for (column,) in cursor.fetchall():
        highest = f"SELECT max({connection.ops.quote_name(column)}) FROM {name}"  # noqa: S608
        cursor.execute(f"SELECT setval(pg_get_serial_sequence(%s, %s), ({highest}))", [name, column])

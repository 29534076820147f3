"""A copy of the data to try things on. What is done to it is gone afterwards, and the data itself is never touched:
not a row, not a number of a sequence, not a lock that anybody else would wait for.

SQLite is copied by its backup interface into a file of our own. PostgreSQL is copied into temporary tables, which
stand before the real ones for this one connection; from then on the server itself refuses it every other write.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

BACKUP_WAITS = 0.05  # seconds between tries while somebody writes
SLOW = "SET statement_timeout = 0"  # copying a large table may take longer than a visitor's page


@contextmanager
def working_copy() -> Iterator[None]:
    """Within it the database connection leads to a copy. Raises ImproperlyConfigured for another database."""
    ways = {"sqlite": _in_a_file, "postgresql": _in_temporary_tables}
    if connection.vendor not in ways:
        raise ImproperlyConfigured("演练只支持 SQLite 和 PostgreSQL。")
    connection.close()
    try:
        with ways[connection.vendor]():
            yield
    finally:
        connection.close()


@contextmanager
def _in_a_file() -> Iterator[None]:
    real = connection.settings_dict["NAME"]
    with TemporaryDirectory(
        prefix="rehearsal-", dir=settings.VAR_DIR
    ) as folder:  # readable by the owner only
        copy = Path(folder) / "copy.sqlite3"
        _back_up(str(real), copy)
        connection.settings_dict["NAME"] = copy
        try:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous = OFF")  # nobody will miss the copy after a power cut
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = real


def _back_up(real: str, copy: Path) -> None:
    source = sqlite3.connect(f"file:{real}?mode=ro", uri=True, timeout=20)
    target = sqlite3.connect(copy)
    try:
        source.backup(target, sleep=BACKUP_WAITS)
    finally:
        target.close()
        source.close()


@contextmanager
def _in_temporary_tables() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(SLOW)
        with transaction.atomic():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all tables as of one moment
            for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
                _copy_table(cursor, table)
        cursor.execute("SET default_transaction_read_only = on")  # temporary tables are exempt
    yield


def _copy_table(cursor, table: str) -> None:
    """The rows, their rules and indexes; and a sequence of its own for the column that numbers them."""
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

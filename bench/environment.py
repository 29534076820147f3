"""The ground of a run: the service as it is in production, in a folder and on databases of its own, gone afterwards."""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import django
import environ

from zhoushan_consult.embedded import keys_file

OURS = {
    "DJANGO_SETTINGS_MODULE": "zhoushan_consult.settings",
    "SITE_URL": "http://localhost",  # https would send every request on to another address
    "ALLOWED_HOSTS": "localhost",
    "TRUSTED_PROXIES": "0",
    "DEBUG": "0",
    "LOG_LEVEL": "ERROR",
}


class Ground:
    """Databases on the server of DATABASE_URL, or SQLite files where none is set. The data that are there are not touched.

    `make` a database, fill it, and `lead_to` it as often as another's turn has come.
    """

    def __init__(self):
        self._copies: list[str] = []

    def __enter__(self) -> "Ground":
        with ExitStack() as opened:
            folder = opened.enter_context(TemporaryDirectory(prefix="consult-bench-"))
            os.environ.update(OURS | {"VAR_DIR": folder})
            environ.Env.read_env(keys_file(Path(folder)))  # keys that the environment names stay
            django.setup()
            self._create(Path(folder))
            opened.callback(self._drop)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._opened.close()

    @property
    def database(self) -> str:
        """SQLite, PostgreSQL."""
        return self._connection.display_name

    def make(self, name: str) -> None:
        """An empty database, migrated; the connection leads to it."""
        self._go(self._migrated)
        self._connection.creation.clone_test_db(name, verbosity=0)
        self._copies.append(name)
        self.lead_to(name)

    def lead_to(self, name: str) -> None:
        """From here on every query goes to the database `name`."""
        self._go(self._migrated)  # from whose name the others' are made
        self._go(self._connection.creation.get_test_db_clone_settings(name)["NAME"])
        self._connection.ensure_connection()

    def _create(self, folder: Path) -> None:
        """One migrated database, to be copied; the static files, without which no page is drawn."""
        from django.core.management import call_command
        from django.db import connection

        call_command("collectstatic", interactive=False, verbosity=0)
        self._connection = connection
        self._original = connection.settings_dict["NAME"]
        name = f"consult_bench_{os.getpid()}"
        in_a_file = connection.vendor == "sqlite"
        connection.settings_dict["TEST"]["NAME"] = str(folder / f"{name}.sqlite3") if in_a_file else name
        self._migrated = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        self._go(self._migrated)

    def _drop(self) -> None:
        self._go(self._migrated)
        for name in self._copies:
            self._connection.creation.destroy_test_db(suffix=name, verbosity=0)
        self._connection.creation.destroy_test_db(self._original, verbosity=0)

    def _go(self, database: str) -> None:
        self._connection.close()
        self._connection.settings_dict["NAME"] = database

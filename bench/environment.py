"""The service as in production, with a folder and databases of its own, which are deleted at the end."""

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import django
import environ

from zhoushan_consult.embedded import keys_file

SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "zhoushan_consult.settings",
    # The pages are measured, not the way in.
    "STAFF_SECOND_FACTOR": "false",
    # With https, every request would be redirected.
    "SITE_URL": "http://localhost",
    "ALLOWED_HOSTS": "localhost",
    "TRUSTED_PROXIES": "0",
    "DEBUG": "0",
    "LOG_LEVEL": "ERROR",
}


class BenchEnvironment:
    """Databases on the server of DATABASE_URL, or SQLite files if it is not set. Existing data is not changed.

    `create_database`, fill it, and switch between databases with `use_database`.
    """

    def __init__(self):
        self._clones: list[str] = []

    def __enter__(self) -> "BenchEnvironment":
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="consult-bench-"))
            os.environ.update(SETTINGS | {"VAR_DIR": folder})
            # Keys that are set in the environment are kept.
            environ.Env.read_env(keys_file(Path(folder)))
            django.setup()
            self._create(Path(folder))
            stack.callback(self._drop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.close()

    @property
    def database(self) -> str:
        """SQLite or PostgreSQL."""
        return self._connection.display_name

    def create_database(self, name: str) -> None:
        """Create an empty, migrated database and connect to it."""
        self._connect(self._migrated)
        self._connection.creation.clone_test_db(name, verbosity=0)
        self._clones.append(name)
        self.use_database(name)

    def use_database(self, name: str) -> None:
        """Send every query to the database `name` from now on."""
        # Django derives the names of the clones from this one.
        self._connect(self._migrated)
        self._connect(self._connection.creation.get_test_db_clone_settings(name)["NAME"])
        self._connection.ensure_connection()

    def _create(self, folder: Path) -> None:
        """One migrated database, which is cloned later; and the static files, without which no page renders."""
        from django.core.management import call_command
        from django.db import connection

        call_command("collectstatic", interactive=False, verbosity=0)
        self._connection = connection
        self._original_name = connection.settings_dict["NAME"]
        name = f"consult_bench_{os.getpid()}"
        is_file = connection.vendor == "sqlite"
        connection.settings_dict["TEST"]["NAME"] = str(folder / f"{name}.sqlite3") if is_file else name
        self._migrated = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        self._connect(self._migrated)

    def _drop(self) -> None:
        self._connect(self._migrated)
        for name in self._clones:
            self._connection.creation.destroy_test_db(suffix=name, verbosity=0)
        self._connection.creation.destroy_test_db(self._original_name, verbosity=0)

    def _connect(self, database: str) -> None:
        self._connection.close()
        self._connection.settings_dict["NAME"] = database

"""A PostgreSQL server for one test, which the test may crash."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .processes import free_ports

# Where Debian installs them.
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
# Two web processes have 16 each, which leaves few for the worker and the test.
MAX_CONNECTIONS = 40
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = {max_connections}
fsync = on
synchronous_commit = on
"""


class PostgresServer:
    """A server in a folder of its own. The folder belongs to another user, because PostgreSQL does not run as root."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="consult-cluster-"))
        [port] = free_ports(1)
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self._run(
            "initdb",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS.format(port=port, max_connections=MAX_CONNECTIONS))

    def start(self) -> None:
        self._control("start")

    def crash(self) -> None:
        """Stop it as a power cut would, and start it again at once. It must come back with all commits."""
        self._control("restart", "--mode=immediate")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self._control("stop", "--mode=immediate")
        shutil.rmtree(self.folder)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", *words, "--wait", f"--log={self.folder / 'log'}")

    def _run(self, name: str, *words: str) -> None:
        """The output is dropped: the server that pg_ctl starts would keep a pipe open, and this call would never end."""
        command = [str(BINARIES[-1] / name), f"--pgdata={self.folder / 'data'}", *words]
        subprocess.run(command, cwd=self.folder, user=self.user, stdout=subprocess.DEVNULL, check=True)

"""A PostgreSQL server of a test's own, which it may strike down."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .processes import free_ports

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian puts them
MOST = 40  # connections: two web processes have 16 each, and few are left for the worker and the test
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = {most}
fsync = on
synchronous_commit = on
"""


class Cluster:
    """In a folder of its own, which is its user's: PostgreSQL does not run as root."""

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
            file.write(SETTINGS.format(port=port, most=MOST))

    def start(self) -> None:
        self._control("start")

    def strike_down(self) -> None:
        """As a power cut would, and start it again at once: it comes back with what it had promised to keep."""
        self._control("restart", "--mode=immediate")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self._control("stop", "--mode=immediate")
        shutil.rmtree(self.folder)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", *words, "--wait", f"--log={self.folder / 'log'}")

    def _run(self, name: str, *words: str) -> None:
        """What it says is not kept: a server that it starts would hold the other end of a pipe."""
        command = [str(BINARIES[-1] / name), f"--pgdata={self.folder / 'data'}", *words]
        subprocess.run(command, cwd=self.folder, user=self.user, stdout=subprocess.DEVNULL, check=True)

"""The embedded run: the whole service on one machine, without a database server or Redis, started by `make run`."""

from .keys import keys_file

__all__ = ["keys_file"]

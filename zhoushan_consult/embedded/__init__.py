"""The embedded run: the whole service on one machine without any server, as `make run` starts it."""

from .keys import keys_file

__all__ = ["keys_file"]

"""A small pool of database connections: a request borrows one while it is answered.

There is a thread for each visitor, slow ones included, and Django would keep a connection open for each thread. One rush
would use up all connections of the server and keep them, and the workers could not connect any more.
"""

from queue import Empty, LifoQueue

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Seconds that a request waits for a connection, before it is answered 503.
WAIT_SECONDS = 10
# This page makes no query. It must answer at once, above all when every connection is in use.
WITHOUT_CONNECTION = "/healthz"


class ConnectionPoolMiddleware:
    """Placed after the middleware that reads the body: a visitor who sends it slowly holds no connection meanwhile."""

    def __init__(self, get_response):
        if not settings.DATABASE_CONNECTIONS:
            raise MiddlewareNotUsed
        self.get_response = get_response
        # Last in, first out: with few visitors the same few connections are used, and the others time out.
        self.free: LifoQueue[BaseDatabaseWrapper] = LifoQueue()
        for _ in range(settings.DATABASE_CONNECTIONS):
            self.free.put(_unopened())

    def __call__(self, request):
        if request.path_info == WITHOUT_CONNECTION:
            return self.get_response(request)
        return self._answer_with_connection(request)

    def _answer_with_connection(self, request):
        own, borrowed = connections[DEFAULT_DB_ALIAS], self._borrow()
        try:
            connections[DEFAULT_DB_ALIAS] = borrowed
            # Django does this at each request, but only for the connection of the thread.
            borrowed.close_if_unusable_or_obsolete()
            return self.get_response(request)
        finally:
            connections[DEFAULT_DB_ALIAS] = own
            self.free.put(borrowed)

    def _borrow(self) -> BaseDatabaseWrapper:
        try:
            return self.free.get(timeout=WAIT_SECONDS)
        except Empty:
            raise OperationalError("every connection of this process is in use") from None


def _unopened() -> BaseDatabaseWrapper:
    """The first query opens it. Threads use it one after another, never two at once."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    connection.inc_thread_sharing()
    return connection

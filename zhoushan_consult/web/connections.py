"""Few connections to the database, whatever the number of visitors: a request borrows one while it is answered.

There is a thread for each visitor, slow ones included, and Django would keep a connection open for every one of them:
one rush would use up all that the server has and hold it afterwards, with the workers locked out.
"""

from queue import Empty, LifoQueue

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 10  # seconds that a request waits for its turn, before it is told to come again
NEEDS_NONE = "/healthz"  # whether the process lives is told at once, above all when everybody waits


class ConnectionPoolMiddleware:
    """Stands behind whatever reads the request: who is slow to send it holds no connection meanwhile."""

    def __init__(self, get_response):
        if not settings.DATABASE_CONNECTIONS:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.free: LifoQueue[BaseDatabaseWrapper] = LifoQueue()
        for _ in range(settings.DATABASE_CONNECTIONS):
            self.free.put(_unopened())

    def __call__(self, request):
        return self.get_response(request) if request.path_info == NEEDS_NONE else self._answer(request)

    def _answer(self, request):
        own, borrowed = connections[DEFAULT_DB_ALIAS], self._borrow()
        try:
            connections[DEFAULT_DB_ALIAS] = borrowed
            borrowed.close_if_unusable_or_obsolete()  # as Django does at each request for the thread's own
            return self.get_response(request)
        finally:
            connections[DEFAULT_DB_ALIAS] = own
            self.free.put(borrowed)

    def _borrow(self) -> BaseDatabaseWrapper:
        try:
            return self.free.get(timeout=PATIENCE)
        except Empty:
            raise OperationalError("every connection of this process is in use") from None


def _unopened() -> BaseDatabaseWrapper:
    """Opened by the first query of a request. Threads use it one after another, never two at once."""
    made = connections.create_connection(DEFAULT_DB_ALIAS)
    made.inc_thread_sharing()
    return made

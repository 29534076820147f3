"""A request borrows one of a few connections: no more than there are, and each is returned in every case."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError, connections

from zhoushan_consult.web.connections import ConnectionPoolMiddleware


@pytest.fixture
def few(settings, monkeypatch):
    """A middleware with so many connections: `few(1, view)`. The wait for one is short."""
    monkeypatch.setattr("zhoushan_consult.web.connections.WAIT_SECONDS", 0.01)

    def make(count, view):
        settings.DATABASE_CONNECTIONS = count
        return ConnectionPoolMiddleware(view)

    return make


def asked(path: str = "/", deeper: int = 0) -> SimpleNamespace:
    return SimpleNamespace(path_info=path, deeper=deeper)


def test_request_uses_a_pooled_connection_and_restores_the_threads_own(few):
    own = connections["default"]
    used = few(1, lambda request: connections["default"])
    assert used(asked()) is used(asked()) is not own
    assert connections["default"] is own


def test_pool_lends_no_more_connections_than_it_has(few):
    lending = few(
        2, lambda request: lending(asked(deeper=request.deeper - 1)) if request.deeper else "answer"
    )
    assert lending(asked(deeper=1)) == "answer"
    with pytest.raises(OperationalError):
        lending(asked(deeper=2))
    assert lending(asked(deeper=1)) == "answer"


def test_failed_request_returns_its_connection(few):
    def fail(request):
        raise ValueError

    failing = few(1, fail)
    for _ in range(3):
        with pytest.raises(ValueError):
            failing(asked())


def test_healthz_answers_while_every_connection_is_lent(few):
    busy = few(1, lambda request: busy(asked("/healthz")) if request.path_info == "/" else "alive")
    assert busy(asked()) == "alive"


def test_pool_is_not_used_when_its_size_is_zero(few):
    with pytest.raises(MiddlewareNotUsed):
        few(0, None)

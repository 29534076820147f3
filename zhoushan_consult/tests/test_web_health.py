"""/healthz and /readyz: red when something the service needs does not work, and naming nobody."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from zhoushan_consult.duties.models import Heartbeat
from zhoushan_consult.vault import keyring
from zhoushan_consult.web import health
from zhoushan_consult.web.models import Hit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def well(monkeypatch):
    """Everything works: the rounds were made just now, the broker is in its folder or answers."""
    monkeypatch.setattr(health.broker, "reachable", lambda seconds: True)
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": timezone.now()})
    health._migrated.cache_clear()


def found(client):
    response = client.get("/readyz")
    return response.status_code, [name for name, works in response.json().items() if not works]


def test_it_lives(client):
    assert client.get("/healthz").json() == {"alive": True}


def test_it_is_ready_when_all_works_and_leaves_nothing_behind(client):
    assert found(client) == (200, [])
    assert not Hit.objects.exists()


def test_it_is_not_ready_while_the_database_takes_no_writes(client, monkeypatch):
    def full(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Hit.objects, "create", full)
    assert found(client) == (503, ["ready", "database"])


def test_it_is_not_ready_while_a_migration_is_missing(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'web'")
    assert found(client) == (503, ["ready", "migrations"])


def test_it_is_not_ready_without_its_broker(client, monkeypatch):
    monkeypatch.setattr(health.broker, "reachable", lambda seconds: False)
    assert found(client) == (503, ["ready", "broker"])


def test_it_is_not_ready_without_keys_that_work(client, monkeypatch):
    def broken():
        raise keyring.BadKeys("vault.E001", "", "")

    monkeypatch.setattr(health, "self_test", broken)
    assert found(client) == (503, ["ready", "vault"])


@pytest.mark.parametrize("age", [timedelta(minutes=4), timedelta(days=3)])
def test_it_is_not_ready_when_the_rounds_have_stopped(client, age):
    Heartbeat.objects.update(at=timezone.now() - age)
    assert found(client) == (503, ["ready", "rounds"])


def test_it_is_not_ready_before_the_first_rounds(client):
    Heartbeat.objects.all().delete()
    assert found(client) == (503, ["ready", "rounds"])


def test_it_names_nobody(client):
    assert set(client.get("/readyz").json()) == {
        "ready",
        "database",
        "migrations",
        "broker",
        "vault",
        "rounds",
    }

"""/healthz and /readyz: an error status when something the service needs does not work, without personal data."""

import socket
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from zhoushan_consult.bureau.models import Division
from zhoushan_consult.duties.models import Heartbeat
from zhoushan_consult.outbox.models import Channel, Notice, State
from zhoushan_consult.vault import keyring
from zhoushan_consult.web import health
from zhoushan_consult.web.models import Hit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def well(monkeypatch):
    """Everything works: the rounds were made just now, the broker is in its folder or answers."""
    monkeypatch.setattr(health.broker, "reachable", lambda seconds: True)
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": timezone.now()})


def found(client):
    response = client.get("/readyz")
    return response.status_code, [name for name, works in response.json().items() if not works]


def test_healthz_says_that_the_process_is_alive(client):
    assert client.get("/healthz").json() == {"alive": True}


def test_readyz_is_200_when_all_works_and_leaves_no_row(client):
    assert found(client) == (200, [])
    assert not Hit.objects.exists()


def test_readyz_is_503_while_the_database_takes_no_writes(client, monkeypatch):
    def full(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Hit.objects, "create", full)
    assert found(client) == (503, ["ready", "database"])


def test_readyz_asks_an_unreachable_database_nothing_further(client):
    asked = []

    def away(execute, sql, params, many, context):
        asked.append(sql)
        raise OperationalError("could not connect")

    with connection.execute_wrapper(away):
        status, broken = found(client)
    assert (status, asked[-1]) == (503, "SELECT 1")
    assert broken == ["ready", "database", "migrations", "rounds", "letters"]


def test_readyz_is_503_while_a_migration_is_missing(client):
    assert found(client) == (200, [])  # and the answer is not remembered
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'web'")
    assert found(client) == (503, ["ready", "migrations"])


def test_readyz_is_503_without_the_broker(client, monkeypatch):
    monkeypatch.setattr(health.broker, "reachable", lambda seconds: False)
    assert found(client) == (503, ["ready", "broker"])


def test_readyz_answers_while_the_broker_is_silent(client, monkeypatch, settings):
    monkeypatch.undo()
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts the connection, and never answers
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        assert found(client) == (503, ["ready", "broker"])


def test_readyz_is_503_when_the_keys_fail_their_self_test(client, monkeypatch):
    def broken():
        raise keyring.InvalidKeys("vault.E001", "", "")

    monkeypatch.setattr(health, "self_test", broken)
    assert found(client) == (503, ["ready", "vault"])


@pytest.mark.parametrize("age", [timedelta(minutes=3, seconds=1), timedelta(days=3), timedelta(days=-1)])
def test_readyz_is_503_when_the_rounds_have_stopped(client, age):
    Heartbeat.objects.update(at=timezone.now() - age)
    assert found(client) == (503, ["ready", "rounds"])


def test_readyz_is_503_before_the_first_rounds(client):
    Heartbeat.objects.all().delete()
    assert found(client) == (503, ["ready", "rounds"])


def letter(number: int = 1, *, waited: timedelta, **columns) -> Notice:
    """A letter that should have left `waited` ago."""
    due_at = timezone.now() - waited
    values = {
        "kind": "water",
        "channel": Channel.SMS,
        "about_kind": Division._meta.label_lower,
        "about_id": "1",
    }
    values |= {"created_at": due_at, "due_at": due_at, "next_try_at": due_at, "dedupe_key": f"key{number}"}
    values |= {"to_index": f"person{number}", "to": "+8613857200001", "body": "您好"}
    return Notice.objects.create(**values | columns)


LONG, SHORT = timedelta(minutes=10, seconds=5), timedelta(minutes=9)


@pytest.mark.parametrize("state", [State.WAITING, State.RETRY, State.INFLIGHT])
def test_readyz_is_503_when_a_due_notice_is_not_taken_up(client, state):
    waiting = letter(waited=SHORT, state=state)
    assert found(client) == (200, [])
    Notice.objects.filter(pk=waiting.pk).update(next_try_at=timezone.now() - LONG)
    assert found(client) == (503, ["ready", "letters"])


def test_readyz_ignores_notices_that_wait_for_their_time_or_for_a_person(client):
    tomorrow = timezone.now() + timedelta(days=1)
    letter(1, waited=LONG, next_try_at=tomorrow)  # over the daily cap
    letter(2, waited=LONG, channel=Channel.CALL)
    letter(3, waited=LONG, state=State.SENT, next_try_at=None)
    letter(4, waited=LONG, state=State.FAILED, next_try_at=None)
    assert found(client) == (200, [])


def test_readyz_is_503_when_a_gateway_refuses_everyone(client):
    later = {"state": State.RETRY, "next_try_at": timezone.now() + timedelta(minutes=30)}
    letter(1, waited=LONG, **later)
    letter(2, waited=LONG, **later)
    letter(3, waited=LONG, to_index="person2", **later)
    assert found(client) == (200, [])  # two people: they may be at fault themselves
    letter(4, waited=LONG, **later)
    assert found(client) == (503, ["ready", "letters"])
    letter(5, waited=SHORT, state=State.SENT, channel=Channel.EMAIL)
    assert found(client) == (503, ["ready", "letters"])
    letter(6, waited=SHORT, state=State.SENT)
    assert found(client) == (200, [])  # it takes those of others


def test_readyz_lists_its_checks_and_nothing_else(client):
    assert set(client.get("/readyz").json()) == {
        "ready",
        "database",
        "migrations",
        "broker",
        "vault",
        "rounds",
        "letters",
    }

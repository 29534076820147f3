"""The embedded broker: every message arrives whole and once, with any number of writers and readers."""

import multiprocessing
import os
import socket

import pytest
from kombu import Connection

from zhoushan_consult import broker
from zhoushan_consult.celery import app

FORK = multiprocessing.get_context("fork")
WRITERS, READERS, EACH = 4, 3, 150


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "broker"


def connect(folder) -> Connection:
    options = {"folder": str(folder), "polling_interval": 0.01}
    return Connection(transport=broker.Transport, transport_options=options)


def write(folder, numbers):
    with connect(folder) as connection, connection.Producer() as producer:
        for number in numbers:
            producer.publish({"number": number, "padding": "浪" * 3000}, exchange="", routing_key="celery")


def read(folder, queue="celery"):
    """The next number in the queue; None when it is empty."""
    with connect(folder) as connection:
        message = connection.default_channel.basic_get(queue, no_ack=True)
        return message and message.decode()["number"]


def read_until_told(folder, found, enough):
    while not enough.is_set():
        if (number := read(folder)) is not None:
            found.put(number)


def test_no_message_is_lost_or_repeated_by_parallel_writers_and_readers(folder):
    found, enough = FORK.Queue(), FORK.Event()
    parts = [range(writer * EACH, (writer + 1) * EACH) for writer in range(WRITERS)]
    writers = [FORK.Process(target=write, args=(folder, part)) for part in parts]
    readers = [FORK.Process(target=read_until_told, args=(folder, found, enough)) for _ in range(READERS)]
    for process in readers + writers:
        process.start()
    try:
        numbers = [found.get(timeout=30) for _ in range(WRITERS * EACH)]
    finally:
        enough.set()
        for process in readers + writers:
            process.join()
    assert sorted(numbers) == list(range(WRITERS * EACH))
    assert read(folder) is None
    assert not list(folder.rglob("*.*"))


def test_messages_are_read_in_the_order_written(folder):
    write(folder, range(20))
    assert [read(folder) for _ in range(20)] == list(range(20))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"text"', '{"properties": {}}', '{"body": "!", "properties": null}', "\udcff"]
)
def test_unreadable_message_is_set_aside_and_the_next_is_read(folder, text):
    write(folder, [1])
    queue = next(folder.iterdir())
    (queue / "0-first.msg").write_bytes(os.fsencode(text))
    assert read(folder) == 1
    assert [path.name for path in (folder / broker.UNREADABLE).iterdir()] == ["0-first.taken"]


def test_message_that_is_still_being_written_is_not_read(folder):
    write(folder, [1])
    whole = next(folder.rglob("*.msg"))
    whole.rename(whole.with_suffix(".part"))
    assert read(folder) is None


def test_unacknowledged_message_is_returned_when_its_reader_disconnects(folder):
    write(folder, [1])
    with connect(folder) as connection:
        assert connection.default_channel.basic_get("celery").decode()["number"] == 1
    assert read(folder) == 1


def test_queues_are_separate_even_with_path_signs_in_their_names(folder):
    write(folder, [1])
    assert read(folder, "../celery") is None
    assert read(folder) == 1


def test_wipe_deletes_every_message(folder):
    write(folder, [1, 2])
    broker.wipe(folder)
    assert read(folder) is None


def test_celery_uses_the_embedded_broker_for_filesystem_addresses(folder):
    with app.connection_for_write(
        "filesystem://localhost", transport_options={"folder": folder}
    ) as connection:
        assert isinstance(connection.transport, broker.Transport)
        assert not connection.supports_exchange_type("fanout")


def test_broker_is_reachable_when_its_folder_can_be_written(settings, folder):
    settings.REDIS_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS = "", {"folder": str(folder)}
    assert broker.reachable()


def test_broker_is_unreachable_when_its_folder_cannot_be_made(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.REDIS_URL, settings.CELERY_BROKER_TRANSPORT_OPTIONS = (
        "",
        {"folder": str(tmp_path / "file" / "broker")},
    )
    assert not broker.reachable()


def test_redis_that_is_down_is_unreachable(settings, unused_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{unused_port}/0"
    assert not broker.reachable(0.2)


def test_redis_that_does_not_answer_is_unreachable(settings):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        assert not broker.reachable(0.2)


@pytest.mark.redis
def test_redis_that_answers_is_reachable(settings):
    settings.REDIS_URL = os.environ["REDIS_URL"]
    assert broker.reachable()


@pytest.fixture
def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

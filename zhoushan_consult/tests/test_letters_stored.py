"""A letter that the database refuses is an error; only the same letter, posted again, is passed over."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import NotStored, store

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, 9, 30, tzinfo=SHANGHAI)


def letter(key: str, **columns) -> Notice:
    about = {"about_kind": "bureau.division", "about_id": "1"}
    return Notice(
        kind="sms",
        channel=Channel.SMS,
        dedupe_key=key,
        body="短信",
        created_at=AT,
        due_at=AT,
        **about,
        **columns,
    )


def test_store_passes_over_a_letter_that_is_there():
    first = store([letter("a", to_name="王测试")])
    again = store([letter("a", to_name="李测试"), letter("b")])
    assert again[0] == first[0]
    assert [(row.dedupe_key, row.to_name) for row in Notice.objects.order_by("pk")] == [
        ("a", "王测试"),
        ("b", ""),
    ]


def test_store_refuses_a_letter_that_lacks_a_column():
    """SQLite would pass over it without a word, PostgreSQL says so itself."""
    with pytest.raises((NotStored, IntegrityError)), transaction.atomic():
        store([letter("a"), letter("b", to_name=None)])
    assert not Notice.objects.exists()


def test_store_refuses_a_letter_that_clashes_by_anything_but_its_key():
    (there,) = store([letter("a")])
    with pytest.raises(NotStored), transaction.atomic():
        store([letter("b", pk=there.pk), letter("c")])
    assert [row.dedupe_key for row in Notice.objects.all()] == ["a"]

"""What `booking` promises beneath the form: personal data stay out of texts, and no mailbox is flooded."""

import random
from datetime import datetime

import pytest

from appointments import booking
from sessions_app import policy
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.identity import samples
from zhoushan_consult.outbox.models import Channel, Notice

AT = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


def registration(number: int, **changes) -> booking.Registration:
    rng = random.Random(number)
    values = {
        "enterprise_name": f"舟山测试{number}号有限公司",
        "uscc": samples.uscc(rng),
        "contact_name": "测试人",
        "id_type": "resident",
        "id_number": samples.resident_id(rng),
        "phone": samples.mobile(rng),
        "summary": "废水怎样接入管网？",
        "email": f"firm{number}@example.com",
    }
    return booking.Registration(**(values | changes))


def test_registration_in_a_log_or_a_traceback_shows_no_personal_data():
    form = registration(1)
    shown = repr(form)
    assert not [value for value in (form.id_number, form.phone, form.summary, form.email) if value in shown]


@pytest.mark.django_db
@pytest.mark.parametrize("shared", ["phone", "email"])
def test_one_phone_or_mailbox_gets_so_many_receipts_a_day_and_others_still_get_theirs(shared):
    value = getattr(registration(1), shared)
    for number in range(1, policy.RECEIPTS_A_DAY + 2):
        last = booking.submit(registration(number, **{shared: value}), key=f"key {number}", at=AT)
    other = booking.submit(registration(99), key="other", at=AT)
    channels = {
        firm.pk: set(Notice.objects.filter(about_id=str(firm.pk)).values_list("channel", flat=True))
        for firm in (last, other)
    }
    assert channels[last.pk] == {Channel.PAGE}
    assert channels[other.pk] == {Channel.PAGE, Channel.SMS, Channel.EMAIL}

"""Corrections and calls at the same instant as other acts, each in its own thread, on the database of the run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appointments import booking, contact, letters
from appointments.models import ContactCorrection
from sessions_app.models import Seat
from triage.tests.factories import NOW, appointment, seated
from triage.tests.test_races import at_once, fresh
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.outbox import delivery, telephone
from zhoushan_consult.outbox.adapters import MemoryAdapter
from zhoushan_consult.outbox.models import Channel, Notice, NoticeCall, State

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.xdist_group("races"),
]

MEMORY = "zhoushan_consult.outbox.adapters.MemoryAdapter"
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def gateways(settings):
    settings.OUTBOX_ADAPTERS = {"sms": MEMORY, "email": MEMORY}
    MemoryAdapter.forget()


def correct(pk: int, phone: str, by):
    firm = fresh(pk)
    return contact.correct(firm, replace(contact.contact_of(firm), phone=phone), "换了号码", by=by, at=LATER)


def sms_of(firm, *kinds) -> set[str]:
    """The numbers to which the letters of these kinds about the firm went or go."""
    alive = Notice.objects.filter(channel=Channel.SMS, about_id=str(firm.pk), kind__in=kinds)
    return {letter.to.open() for letter in alive.exclude(state=State.CANCELLED)}


@pytest.mark.parametrize("round_", range(5))
def test_offer_follows_the_number_that_is_registered_in_the_end(coordinator, round_):
    """Two workers send, and two officers correct the number."""
    firm, other = seated(1), seated(2)
    for each in (firm, other):
        letters.write("seat_offered", each, at=NOW, **letters.seat_params(each))
    jobs = [lambda n=n: correct(firm.pk, f"+861390000000{n}", coordinator) for n in (7, 8)]
    results = at_once(jobs + [lambda: delivery.deliver_due(LATER)] * 2)
    assert all(isinstance(found, int | ContactCorrection | Refused) for found in results), results
    made = [found for found in results if isinstance(found, ContactCorrection)]
    assert made and ContactCorrection.objects.count() == len(made)
    delivery.deliver_due(LATER)
    assert sms_of(firm, "seat_offered", "contact_corrected") == {fresh(firm.pk).phone_number}
    assert Seat.objects.get(pk=firm.seat_id).reply_by
    assert sms_of(other, "seat_offered") == {other.phone_number}


@pytest.mark.parametrize("answer", [booking.confirm_seat, booking.give_up_seat, booking.withdraw])
@pytest.mark.parametrize("round_", range(3))
def test_correction_and_answer_of_the_firm_hinder_neither(coordinator, answer, round_):
    firm = seated(1)
    letters.write("seat_offered", firm, at=NOW, **letters.seat_params(firm))
    jobs = [lambda: correct(firm.pk, "+8613900000007", coordinator), lambda: answer(fresh(firm.pk), at=LATER)]
    results = at_once(jobs + [lambda: delivery.deliver_due(LATER)] * 2)
    assert isinstance(results[0], ContactCorrection | Refused) and results[1] is None, results
    delivery.deliver_due(LATER)
    corrected = isinstance(results[0], ContactCorrection)
    assert sms_of(firm, "contact_corrected") == ({"+8613900000007"} if corrected else set())
    assert (fresh(firm.pk).phone_number == "+8613900000007") == corrected


@pytest.mark.parametrize("round_", range(5))
def test_two_officers_who_record_one_call_at_once_leave_one_row_for_each_letter(coordinator, round_):
    firm = appointment(1, phone="+865802000123")
    for kind in ("booking_received", "review_reopened"):
        letters.write(kind, firm, at=NOW)
    waiting = list(delivery.calls_to_make())
    orders = [waiting, waiting[::-1]] * 2
    results = at_once(
        [
            lambda order=order: telephone.record_call(
                order, by=coordinator, at=LATER, outcome="reached", gist="已告知"
            )
            for order in orders
        ]
    )
    refused = [found for found in results if not isinstance(found, NoticeCall)]
    assert all(isinstance(found, delivery.LetterAlreadyHandled) for found in refused), results
    assert [letter.calls.count() for letter in waiting] == [1, 1]
    assert not delivery.calls_to_make().exists()

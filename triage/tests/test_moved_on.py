"""What is said and offered after the world has moved on: an answer before the second 初审, a correction at night, a day that is over."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from appointments import contact, letters
from appointments.facts import read
from appointments.lifecycle import Stage
from appointments.models import Appointment
from sessions_app import calendar
from triage import assignment, deferral, review
from triage.assignment import AssignmentItem
from triage.models import Assignment, AssignmentState, Part
from triage.tests import factories as made
from triage.tests.factories import DAY, NOW, appointment, deliver
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.calls import call_now
from zhoushan_consult.outbox.delivery import calls_to_make
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NIGHT = datetime(2026, 11, 20, 22, 12, tzinfo=SHANGHAI)
MORNING = datetime(2026, 11, 21, 8, tzinfo=SHANGHAI)


def fresh(firm: Appointment) -> Appointment:
    return Appointment.objects.select_related("day", "seat").get(pk=firm.pk)


def accept_again(firm: Appointment, by) -> None:
    """Taken back to 初审, and accepted with the same 交办 as before."""
    review.reconsider(fresh(firm), "补充核实", by=by, at=NOW + HOUR)
    firm = fresh(firm)
    portion = AssignmentItem(made.division("水处"), firm.summary)
    review.accept(firm, [portion], trace=made.trace(firm), by=by, at=NOW + 2 * HOUR)


# --- An answer that stands -----------------------------------------------------------------------------------------------
def test_what_is_answered_is_not_asked_again_after_a_second_review(coordinator):
    firm = appointment(1, stage=Stage.ACCEPTED)
    made.released(firm, "水处", "可以接管。", by=coordinator)
    accept_again(firm, coordinator)
    assert [one.state for one in Assignment.objects.all()] == [AssignmentState.RELEASED]
    assert "书面答复已登在本页" in read(fresh(firm), NOW + 3 * HOUR).next.what


def test_firm_is_not_told_that_a_division_studies_what_is_answered(coordinator):
    firm = appointment(1, stage=Stage.ACCEPTED)
    made.released(firm, "水处", "可以接管。", by=coordinator)
    accept_again(firm, coordinator)
    told = Notice.objects.get(kind="review_accepted", channel="sms").text
    assert "已通过初审。" in told and "研究答复" not in told


def test_question_that_is_still_open_is_asked_again_after_a_second_review(coordinator):
    firm = appointment(1, stage=Stage.ACCEPTED)
    made.assignment(firm, "水处", by=coordinator)
    accept_again(firm, coordinator)
    assert sorted(Assignment.objects.values_list("state", flat=True)) == ["cancelled", "open"]


@pytest.mark.parametrize("state", [AssignmentState.OPEN, AssignmentState.RELEASED])
def test_question_goes_to_a_division_that_has_it_already(coordinator, state):
    firm = appointment(1, stage=Stage.ACCEPTED)
    has_it = made.assignment(firm, "大气处", by=coordinator, part=Part.SUPPORT, state=state)
    back = made.assignment(firm, "水处", by=coordinator, state=AssignmentState.RETURNED)
    portion = AssignmentItem(made.division("大气处"), firm.summary)
    assignment.reassign(back, portion, by=coordinator, at=NOW)
    has_it.refresh_from_db()
    back.refresh_from_db()
    assert (has_it.part, has_it.state, back.state) == (Part.LEAD, state, AssignmentState.CANCELLED)
    assert Assignment.objects.count() == 2


# --- The receipt -----------------------------------------------------------------------------------------------------------
def test_nobody_telephones_that_a_registration_came_in_once_it_is_accepted(coordinator):
    firm = appointment(1, phone="+865802000001")
    letters.write("booking_received", firm, at=NOW, flooded=False)
    call = calls_to_make().get()
    assert "登记到12月10日" in call_now(call, NOW).text
    Appointment.objects.filter(pk=firm.pk).update(stage=Stage.ACCEPTED)
    assert call_now(call, NOW).not_needed


def test_receipt_promises_no_day_that_is_over():
    firm = appointment(1, phone="+865802000001")
    letters.write("booking_received", firm, at=NOW, flooded=False)
    said = call_now(calls_to_make().get(), calendar.ends_at(DAY)).text
    assert firm.reference in said and "12月10日" not in said


# --- The night -------------------------------------------------------------------------------------------------------------
def test_officer_who_corrects_a_number_at_night_wakes_nobody(coordinator):
    firm = appointment(1)
    right = replace(contact.contact_of(firm), phone="+8613900000009")
    contact.correct(firm, right, "企业来电说明换了号码", by=coordinator, at=NIGHT)
    assert deliver(NIGHT + timedelta(minutes=1)) == 0
    assert deliver(MORNING) == 1


def test_firm_that_corrects_its_number_at_night_is_answered_at_once():
    firm = appointment(1)
    right = replace(contact.contact_of(firm), phone="+8613900000009")
    contact.correct(firm, right, at=NIGHT)
    assert deliver(NIGHT + timedelta(minutes=1)) == 1


# --- A day that is over ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("minutes, hastened", [(-1, 1), (0, 0)])
def test_replies_are_hastened_until_the_day_is_over(coordinator, minutes, hastened):
    firm = appointment(1, stage=Stage.DEFERRED)
    made.assignment(firm, "水处", by=coordinator, due_on=date(2026, 12, 18))
    noon = calendar.ends_at(DAY) + timedelta(minutes=minutes)
    assert deferral.shorten_terms(firm.day, by=None, at=noon) == hastened

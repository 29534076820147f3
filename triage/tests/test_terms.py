"""A term that was given while the next year's holidays were unknown, and the entry of 科监处 that comes afterwards."""

from datetime import date, datetime

import pytest
from django.urls import reverse

from appointments.lifecycle import Stage
from triage import assignment
from triage.models import Assignment
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice
from zhoushan_consult.tests.evidence import rows

from . import factories
from .desk import page_of, read

pytestmark = pytest.mark.django_db

ENTRY = reverse("admin:workdays_workdayoverride_add")
BEFORE_FESTIVAL = datetime(2027, 2, 1, 10, tzinfo=SHANGHAI)
"""A Monday. By law 5 to 10 February are off, so five working days end on the 12th."""
SUPPOSED = date(2027, 2, 12)


@pytest.fixture(autouse=True)
def before_the_festival(time_machine):
    time_machine.move_to(BEFORE_FESTIVAL, tick=False)


@pytest.fixture
def give(coordinator):
    """Gives the question of a firm to 水处, as 综合处 does. Returns the 交办."""

    def given(number: int) -> Assignment:
        firm = factories.appointment(number, stage=Stage.ACCEPTED, wants_onsite=False)
        item = assignment.AssignmentItem(factories.division("水处"), firm.summary)
        return assignment.add(firm, item, by=coordinator, at=BEFORE_FESTIVAL)

    return given


@pytest.fixture
def enter(keeper, signed_in):
    """Enters a period in the admin, as 科监处 does."""

    def entered(first: str, last: str, *, works: bool = False):
        browser = signed_in(keeper)
        typed = {"works": str(works), "first": f"2027-{first}", "last": f"2027-{last}"}
        assert browser.post(ENTRY, typed).status_code == 302

    return entered


@pytest.mark.parametrize(
    "period, works, later",
    [
        (("02-09", "02-10"), True, date(2027, 2, 10)),  # two days less off than supposed
        (("02-05", "02-14"), False, date(2027, 2, 16)),  # a holiday longer than supposed
    ],
)
def test_term_that_was_given_keeps_its_day_and_the_next_follows_the_entry(give, enter, period, works, later):
    told = give(1)
    assert told.due_on == SUPPOSED
    before = rows(Assignment, type(told.appointment), Notice)
    enter(*period, works=works)
    assert rows(Assignment, type(told.appointment), Notice) == before
    assert told.appointment.reply_due_on == SUPPOSED
    assert give(2).due_on == later


def test_term_over_new_year_counts_the_holiday_that_the_law_fixes(time_machine, coordinator):
    eve = datetime(2026, 12, 28, 10, tzinfo=SHANGHAI)
    time_machine.move_to(eve, tick=False)
    firm = factories.appointment(1, stage=Stage.ACCEPTED, submitted_at=eve)
    item = assignment.AssignmentItem(factories.division("水处"), firm.summary)
    assert assignment.add(firm, item, by=coordinator, at=eve).due_on == date(2027, 1, 5)


def test_desk_says_that_the_last_day_of_a_term_turned_out_to_be_off(give, enter, signed_in, handler):
    told, browser = give(1), signed_in(handler)
    assert "节假日安排未公布，先按法律规定的节日推算" in read(browser.get(page_of(told)))
    enter("02-05", "02-14")
    enter("10-01", "10-07")
    page = read(browser.get(page_of(told)))
    assert "当天放假，请在放假前办结" in page and "未公布" not in page

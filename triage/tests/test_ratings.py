"""好差评 at the desk: totals by division and month for the roles that oversee; a division never learns which firm."""

import re
from datetime import date, datetime

import pytest

from appointments.lifecycle import Stage
from appointments.models import Grade, Rating
from triage import ratings
from triage.models import AssignmentState, Part

from . import factories
from .desk import read

pytestmark = pytest.mark.django_db
PAGE = "/desk/ratings/"


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(factories.NOW, tick=False)  # of November 2026


@pytest.fixture
def rate(coordinator):
    """`rate("2026-10-08", Grade.GOOD, "水处")`: a firm rates its registration, which these divisions lead."""
    numbers = iter(range(1, 200))

    def make(day: str, grade: Grade, *leads: str, part=Part.LEAD, state=AssignmentState.RELEASED):
        number = next(numbers)
        firm = factories.appointment(number, stage=Stage.CLOSED, closed_at=factories.NOW)
        for name in leads:
            factories.assignment(firm, name, by=coordinator, part=part, state=state)
        at = datetime.fromisoformat(f"{day}T10:00+08:00" if "T" not in day else day)
        return Rating.objects.create(appointment=firm, grade=grade, remark=f"第{number}家的意见", at=at)

    return make


def row(browser, label: str, query: str = "") -> list[str]:
    """The numbers of one row of the page."""
    page = browser.get(PAGE + query).content.decode()
    found = re.search(rf'<th scope="row">{label}</th>(.*?)</tr>', page, re.DOTALL)
    return re.findall(r">([^<>\s]+)<", found[1]) if found else []


@pytest.mark.parametrize("who", ["coordinator", "leader", "watcher"])
def test_totals_by_division_are_shown_to_roles_that_oversee(who, request, rate, signed_in):
    rate("2026-10-08", Grade.VERY_GOOD, "水处")
    rate("2026-11-08", Grade.POOR, "水处")
    rate("2026-11-09", Grade.FAIR, "大气处")
    browser = signed_in(request.getfixturevalue(who))
    assert row(browser, "水处") == ["1", "0", "0", "1", "0", "2", "50%"]
    assert row(browser, "大气处") == ["0", "0", "1", "0", "0", "1", "100%"]
    assert row(browser, "土壤处") == ["0", "0", "0", "0", "0", "0", "—"]
    assert row(browser, "合计") == ["1", "0", "1", "1", "0", "3", "67%"]


def test_totals_can_be_limited_to_one_month(rate, watcher, signed_in):
    rate("2026-10-08", Grade.VERY_GOOD, "水处")
    rate("2026-11-08", Grade.POOR, "水处")
    browser = signed_in(watcher)
    assert row(browser, "水处", "?month=2026-10") == ["1", "0", "0", "0", "0", "1", "100%"]
    assert row(browser, "合计", "?month=2026-11") == ["0", "0", "0", "1", "0", "1", "0%"]
    assert row(browser, "合计", "?month=1999-01")[5] == "2"  # no such month: all of them


def test_rating_counts_in_its_zhoushan_month_and_for_one_year(rate, watcher, signed_in):
    rate("2026-10-31T16:00+00:00", Grade.GOOD, "水处")  # midnight of 1 November
    rate("2025-12-01", Grade.GOOD, "水处")
    rate("2025-11-30", Grade.GOOD, "水处")
    browser = signed_in(watcher)
    assert row(browser, "合计", "?month=2026-11")[5] == "1"
    assert row(browser, "合计")[5] == "2"


def test_rating_counts_once_per_lead_or_for_综合处_without_a_lead(rate, watcher, signed_in):
    rate("2026-11-08", Grade.GOOD, "水处", "大气处")
    rate("2026-11-08", Grade.GOOD, "土壤处", part=Part.SUPPORT)
    rate("2026-11-08", Grade.GOOD, "环评处", state=AssignmentState.CANCELLED)
    browser = signed_in(watcher)
    counts = {
        name: row(browser, name)[5] for name in ("水处", "大气处", "土壤处", "环评处", "综合处", "合计")
    }
    assert counts == {"水处": "1", "大气处": "1", "土壤处": "0", "环评处": "0", "综合处": "2", "合计": "3"}


# --- What a division sees of itself --------------------------------------------------------------------------------


def spans(browser) -> list[str]:
    return re.findall(r'<th scope="row">([^<]+)</th>', browser.get(PAGE).content.decode())


def test_division_sees_its_total_from_three_ratings_on(rate, handler, signed_in):
    browser = signed_in(handler)
    for day, shown in (("01", []), ("02", []), ("03", ["2026年10月"])):
        rate(f"2026-10-{day}", Grade.POOR, "水处")
        assert spans(browser) == shown
    assert row(browser, spans(browser)[0]) == ["0", "0", "0", "3", "0", "3", "0%"]


def test_division_sees_no_month_that_is_not_over(rate, handler, signed_in):
    for day in ("01", "02", "03", "04"):
        rate(f"2026-11-{day}", Grade.GOOD, "水处")
    assert spans(signed_in(handler)) == []


def test_months_are_merged_until_each_span_has_three_ratings(rate, handler, signed_in):
    for day in ("2026-03-01", "2026-03-02", "2026-03-03", "2026-05-01", "2026-05-02", "2026-07-01"):
        rate(day, Grade.GOOD, "水处")
    for day in ("2026-09-01", "2026-10-01"):
        rate(day, Grade.VERY_POOR, "水处")
    browser = signed_in(handler)
    assert spans(browser) == ["2026年5月—7月", "2026年3月"]
    assert all(row(browser, label)[5] == "3" for label in spans(browser))
    assert "非常不满意" in read(browser.get(PAGE)) and row(browser, "2026年5月—7月")[4] == "0"


def test_spans_do_not_change_when_later_ratings_come(rate, handler, signed_in, time_machine):
    for month in range(1, 11):
        rate(f"2026-{month:02}-01", Grade.GOOD, "水处")
    before = spans(signed_in(handler))
    assert before == ["2026年7月—9月", "2026年4月—6月", "2026年1月—3月"]
    time_machine.move_to(datetime.fromisoformat("2027-06-20T10:00+08:00"), tick=False)
    rate("2027-05-01", Grade.POOR, "水处")
    rate("2027-05-02", Grade.POOR, "水处")
    assert spans(signed_in(handler)) == ["2026年10月—2027年5月", *before]


def test_division_never_sees_firms_or_another_divisions_ratings(rate, head, signed_in):
    given = [rate(f"2026-10-0{day}", Grade.VERY_POOR, "水处") for day in range(1, 5)]
    for day in range(1, 5):
        rate(f"2026-10-0{day}", Grade.VERY_GOOD, "大气处")
    browser = signed_in(head)
    for query in ("", "?month=2026-10", "?division=air"):
        words = read(browser.get(PAGE + query))
        assert "大气处" not in words
        for rating in given:
            firm = rating.appointment
            assert (
                firm.enterprise_name not in words
                and firm.reference not in words
                and rating.remark not in words
            )
    assert row(browser, spans(browser)[0])[5] == "4"


def test_empty_page_says_when_ratings_will_appear(handler, watcher, signed_in):
    assert "满3条" in read(signed_in(handler).get(PAGE))
    assert "现在还没有评价" in read(signed_in(watcher).get(PAGE))


@pytest.mark.parametrize("who", ["watcher", "handler"])
def test_query_count_does_not_grow_with_the_ratings(who, request, rate, signed_in, django_assert_num_queries):
    browser = signed_in(request.getfixturevalue(who))
    rate("2026-10-01", Grade.GOOD, "水处")
    with django_assert_num_queries(7 if who == "watcher" else 6):
        browser.get(PAGE)
    for day in range(1, 29):
        rate(f"2026-09-{day:02}", Grade.GOOD, "水处", "大气处")
    with django_assert_num_queries(7 if who == "watcher" else 6):
        page = browser.get(PAGE)
    assert page.status_code == 200 and re.search(r"\b2[89]\b", read(page))


def test_ratings_look_back_over_twelve_whole_months():
    assert ratings.months(factories.NOW)[0] == date(2025, 12, 1)
    assert ratings.months(factories.NOW)[-1] == date(2026, 11, 1)
    assert len(ratings.months(factories.NOW)) == 12

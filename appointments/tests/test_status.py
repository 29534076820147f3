"""/status/ as a firm uses it: 受理编号 and phone, then the buttons that fit the stage."""

import re
from datetime import date

import pytest
from django.test import Client

from appointments import booking, situation
from appointments.lifecycle import Stage
from appointments.models import Appointment, Grade, Rating, StageMove
from sessions_app import seats
from triage.tests.factories import NOW, appointment, officer, released, seated
from zhoushan_consult.bureau.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(NOW, tick=False)


def typed_phone(of: Appointment) -> str:
    return of.phone_number.removeprefix("+86")


@pytest.fixture
def look_up(client):
    def look(of, phone=None, browser=client, **kwargs):
        typed = {"reference": of.reference, "phone": phone or typed_phone(of)}
        return browser.post("/status/", typed, **kwargs)

    return look


def test_reference_and_phone_open_the_progress_page(client, look_up):
    made = appointment()
    assert look_up(made)["Location"] == "/status/"
    page = client.get("/status/").content.decode()
    assert made.enterprise_name in page
    assert "第 2 步，共 5 步" in page
    assert made.id_number.open() not in page


def test_reference_is_read_in_lower_case_and_without_hyphens(client):
    made = appointment()
    answer = client.post(
        "/status/",
        {"reference": made.reference.lower().replace("-", " "), "phone": "+86 " + typed_phone(made)},
    )
    assert answer.status_code == 302
    assert made.enterprise_name in client.get("/status/").content.decode()


def test_wrong_phone_and_wrong_reference_get_the_same_answer(client, look_up):
    made = appointment()
    wrong_phone = look_up(made, phone="13900000000", follow=True)
    made.reference = "ABCD-EFGH-JKLM-NP"
    wrong_reference = look_up(made, follow=True)
    assert wrong_phone.redirect_chain == wrong_reference.redirect_chain
    assert "没有查到" in wrong_phone.content.decode()
    assert "没有查到" in wrong_reference.content.decode()


@pytest.mark.parametrize(("guesses", "shown"), [(9, "办理经过"), (10, "次数过多")])
def test_guesses_at_one_reference_are_limited_across_addresses(guesses, shown, look_up):
    made = appointment()
    for n in range(guesses):
        Client(REMOTE_ADDR=f"10.0.0.{n}").post(
            "/status/", {"reference": made.reference, "phone": f"1390000000{n}"}
        )
    answer = look_up(made, browser=Client(REMOTE_ADDR="10.0.1.1"), follow=True)
    assert shown in answer.content.decode()


def test_progress_page_closes_after_half_an_hour(client, look_up, time_machine):
    look_up(appointment())
    assert "办理经过" in client.get("/status/").content.decode()
    time_machine.shift(31 * 60)
    page = client.get("/status/").content.decode()
    assert "受理编号" in page and "办理经过" not in page


def test_progress_page_closes_when_the_visitor_leaves(client, look_up):
    look_up(appointment())
    assert "办理经过" in client.get("/status/").content.decode()
    client.post("/status/leave/")
    assert "办理经过" not in client.get("/status/").content.decode()


def test_withdrawing_twice_is_recorded_once(client, look_up):
    made = appointment()
    look_up(made)
    for _ in range(2):
        assert client.post("/status/withdraw/").status_code == 302
    made.refresh_from_db()
    assert made.stage == Stage.WITHDRAWN
    assert made.moves.filter(new=Stage.WITHDRAWN).count() == 1


def test_amendment_before_the_review_keeps_the_id_number(client, look_up):
    made = appointment()
    look_up(made)
    answer = client.post(
        "/status/amend/",
        {
            "contact_name": "新联系人",
            "id_type": "resident",
            "phone": "13800001111",
            "summary": "改后的问题",
            "wants_onsite": "0",
        },
    )
    assert answer.status_code == 302
    after = Appointment.objects.get()
    assert (after.summary, after.wants_onsite, after.version) == ("改后的问题", False, 2)
    assert after.id_number.open() == made.id_number.open()


def test_amendment_after_the_review_is_refused_but_kept_on_the_page(client, look_up):
    made = appointment()
    look_up(made)
    Appointment.objects.update(stage=Stage.ACCEPTED)
    page = client.post(
        "/status/amend/",
        {"contact_name": "新", "id_type": "resident", "phone": "13800001111", "summary": "改后的问题"},
        follow=True,
    ).content.decode()
    assert "网上不能再修改。要补充的，请用“补充问题”。" in page
    assert "改后的问题" in page


def test_seat_can_be_confirmed(client, look_up):
    made = seated()
    look_up(made)
    assert "确认参加" in client.get("/status/").content.decode()
    client.post("/status/confirm/")
    made.seat.refresh_from_db()
    assert made.seat.confirmed_at


def test_seat_can_be_given_up(client, look_up):
    made = seated()
    look_up(made)
    client.post("/status/give-up/")
    made.refresh_from_db()
    assert (made.stage, made.seat, made.wants_onsite) == (Stage.ACCEPTED, None, False)
    assert seats.Seat.objects.filter(uscc=made.uscc).count() == 0


def test_confirming_a_lost_seat_is_refused_with_a_reason(client, look_up):
    made = seated()
    look_up(made)
    booking.give_up_seat(made, at=NOW)
    page = client.post("/status/confirm/", follow=True).content.decode()
    assert "已进入下一办理阶段" in page
    assert not seats.Seat.objects.exclude(confirmed_at=None).exists()


def test_deferred_firm_is_carried_to_the_next_day_with_priority(client, look_up):
    made = appointment(stage=Stage.DEFERRED)
    look_up(made)
    client.post("/status/still-onsite/")
    made.refresh_from_db()
    assert (made.stage, made.day.date.isoformat()) == (Stage.ACCEPTED, "2027-01-10")
    assert made.priority_since == NOW


def test_unsolved_feedback_needs_a_reason_and_starts_a_follow_up(client, look_up):
    made = appointment(stage=Stage.ANSWERED)
    look_up(made)
    assert "请写一两句" in client.post("/status/unsolved/", {"reason": ""}, follow=True).content.decode()
    client.post("/status/unsolved/", {"reason": "还差材料清单"})
    made.refresh_from_db()
    assert made.stage == Stage.FOLLOWING


def test_closed_registration_cannot_be_reopened_after_the_term(client, look_up, time_machine):
    made = appointment(stage=Stage.CLOSED, closed_at=NOW)
    time_machine.shift(31 * 24 * 3600)
    look_up(made)
    page = client.post("/status/unsolved/", {"reason": "仍有问题"}, follow=True).content.decode()
    assert "请重新登记" in page
    assert Appointment.objects.get().stage == Stage.CLOSED


def test_seat_that_was_given_up_is_not_shown_as_a_second_acceptance(client, look_up):
    made = seated()
    for old, new in ((Stage.SUBMITTED, Stage.ACCEPTED), (Stage.ACCEPTED, Stage.SEATED)):
        StageMove.objects.create(appointment=made, old=old, new=new, at=NOW)
    booking.give_up_seat(made, at=NOW)
    look_up(made)
    page = client.get("/status/").content.decode()
    headings = re.findall(r"<h3>(.*?)</h3>", page[page.index("办理经过") :])
    assert headings == ["提交登记", "通过初审", "现场咨询", "企业放弃现场名额，改为书面答复"]


def test_next_step_leads_to_each_form_of_the_page(client, look_up):
    made = appointment(1, stage=Stage.CLOSED, closed_at=NOW)
    look_up(made)
    page = client.get("/status/").content.decode()
    for act, title in (("unsolved", "还没有解决？"), ("rate", "评价我们的服务")):
        assert f'<a href="#{act}">{title}</a>' in page
        assert f'<section id="{act}">' in page
    assert 'href="#supplement"' not in page


def test_rating_is_given_once_with_no_grade_preselected(client, look_up):
    made = appointment(stage=Stage.CLOSED, closed_at=NOW)
    look_up(made)
    assert 'name="grade" value="5" checked' not in client.get("/status/").content.decode()
    client.post("/status/rate/", {"grade": "5", "remark": "好"})
    page = client.post("/status/rate/", {"grade": "1"}, follow=True).content.decode()
    assert Rating.objects.get().grade == Grade.VERY_GOOD
    assert "已经评价过" in page


BUTTONS = {
    "withdraw": (Stage.SUBMITTED, Stage.WITHDRAWN),
    "confirm": (Stage.SEATED, Stage.SEATED),
    "give-up": (Stage.SEATED, Stage.ACCEPTED),
    "still-onsite": (Stage.DEFERRED, Stage.ACCEPTED),
    "enough": (Stage.DEFERRED, Stage.CLOSED),
    "solved": (Stage.ANSWERED, Stage.CLOSED),
}
"""Each button of the page: the stage in which it is offered, and the one to which it leads."""
ASKED_ONCE = {
    "withdraw": "撤回后，这份登记不再办理",
    "give-up": "现场名额递补给下一家，优先资格同时用完，问题改为书面答复。",
    "still-onsite": "登记转到1月10日（周日）这一期，优先安排现场名额。",
    "enough": "登记随即办结，不再安排本期或下期的现场咨询",
    "solved": "登记随即办结，还没有办完的事项不再继续。",
}
"""What cannot be undone, and the consequence that its page names."""


def firm_at(stage: Stage, number: int = 1) -> Appointment:
    """A registration that has a reply, and a priority; with its seat where it needs one."""
    made = seated(number) if stage == Stage.SEATED else appointment(number, stage=stage, closed_at=NOW)
    Appointment.objects.filter(pk=made.pk).update(priority_since=NOW)
    released(made, "水处", "请先办理排水许可。", by=officer(Role.HANDLER, "水处"))
    return Appointment.objects.get(pk=made.pk)


def state(of: Appointment) -> tuple:
    row = Appointment.objects.select_related("seat").get(pk=of.pk)
    return row.stage, bool(row.seat and row.seat.confirmed_at), row.moves.count()


@pytest.mark.parametrize("verb", BUTTONS)
def test_links_change_nothing_and_buttons_act(client, look_up, verb):
    before, after = BUTTONS[verb]
    made, other = firm_at(before), firm_at(before, 2)
    look_up(made)
    opened = state(made)
    assert client.get(f"/status/{verb}/").status_code == (200 if verb in ASKED_ONCE else 302)
    assert state(made) == opened == (before, False, 1)
    assert client.post(f"/status/{verb}/").status_code == 302
    assert state(made) == (after, verb == "confirm", 1 if verb == "confirm" else 2)
    assert state(other) == opened


@pytest.mark.parametrize("verb", ASKED_ONCE)
def test_what_cannot_be_undone_asks_once_and_names_the_consequence(client, look_up, verb):
    made = firm_at(BUTTONS[verb][0])
    look_up(made)
    assert f'href="/status/{verb}/"' in client.get("/status/").content.decode()
    page = client.get(f"/status/{verb}/").content.decode()
    assert ASKED_ONCE[verb] in page and "不能撤销" in page
    assert made.reference in page and made.enterprise_name in page
    assert f'method="post" action="/status/{verb}/"' in page
    assert 'href="/status/"' in page


@pytest.mark.parametrize("verb", ASKED_ONCE)
def test_page_that_asks_leads_back_with_the_reason_where_the_act_is_not_open(client, look_up, verb):
    made = appointment(stage=Stage.DECLINED)
    look_up(made)
    page = client.get(f"/status/{verb}/", follow=True)
    assert page.redirect_chain == [("/status/", 302)]
    assert situation.MOVED_ON in page.content.decode()
    assert state(made) == (Stage.DECLINED, False, 1)


def test_page_that_asks_is_for_the_firm_that_opened_its_registration(client):
    assert "重新输入" in client.get("/status/withdraw/", follow=True).content.decode()


def test_firm_that_registered_again_is_told_where_its_priority_goes(client, look_up):
    made = firm_at(Stage.DEFERRED)
    appointment(1, on=date(2027, 1, 10))
    look_up(made)
    assert "优先资格转到贵单位1月10日（周日）的登记" in client.get("/status/still-onsite/").content.decode()
    page = client.post("/status/still-onsite/", follow=True).content.decode()
    assert "优先资格已转到贵单位1月10日（周日）的登记，优先安排现场名额。" in page
    assert "现场咨询的优先资格已转到贵单位1月10日（周日）的登记。" in page


def test_act_without_an_open_registration_asks_to_look_up_again(client):
    assert "重新输入" in client.post("/status/withdraw/", follow=True).content.decode()

"""What firms add to their registrations, as 综合处 finds it: 补充问题, 登记异议, and 交办 to be given to another division."""

import pytest
import time_machine
from django.test import Client

from appointments import letters
from appointments import supplements as additions
from appointments.lifecycle import Stage
from appointments.models import Appointment, Objection, Verdict
from triage import replies, seating, worklists
from triage.closing import close_unanswered
from triage.models import Assignment, Part
from triage.tests import factories as made
from triage.tests.test_admin_registration import press, rows, show
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox.models import Notice, State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(made.NOW, tick=False):
        yield


@pytest.fixture
def browser(coordinator, signed_in):
    return signed_in(coordinator)


@pytest.fixture
def accepted():
    return made.appointment(stage=Stage.ACCEPTED)


def given(row: dict, **chosen) -> dict:
    return rows(row, spare=0) | chosen


# --- One of several questions -----------------------------------------------------------------------------------------
def test_the_supplement_that_is_chosen_goes_to_the_division_in_its_own_words(browser, accepted):
    sludge, noise = (
        additions.add_question(accepted, text, at=made.NOW) for text in ("污泥怎么处置？", "厂界噪声呢？")
    )
    page = show(browser, accepted)
    # The row is empty: the words of the first would go to the division under the name of the second.
    assert page.count("污泥怎么处置？</textarea>") == 0
    row = {"question": "", "division": "air", "reason": "噪声由大气处答复"}
    press(browser, accepted, "supplement", **given(row, supplement=noise.pk))
    assert Assignment.objects.get().question == "厂界噪声呢？"
    assert list(worklists.supplements_to_assign()) == [sludge]


def test_a_single_supplement_can_be_reworded(browser, accepted):
    only = additions.add_question(accepted, "污泥怎么处置？", at=made.NOW)
    assert "污泥怎么处置？</textarea>" in show(browser, accepted)
    row = {"question": "污泥的处置去向", "division": "soil", "reason": "按职责"}
    press(browser, accepted, "supplement", **given(row, supplement=only.pk))
    assert Assignment.objects.get().question == "污泥的处置去向"


@pytest.fixture
def two_given(coordinator, accepted):
    """Two questions, of which 大气处 only supports in the second."""
    water = made.assignment(accepted, "水处", by=coordinator, question="废水呢？")
    air = made.assignment(accepted, "大气处", by=coordinator, question="废气呢？", part=Part.SUPPORT)
    return water, air


def test_the_assignment_that_is_chosen_is_moved_with_its_own_words_and_part(browser, accepted, two_given):
    _, air = two_given
    page = show(browser, accepted)
    # Which of them, one reads: a division may have several.
    assert "废水呢？</label>" in page and "废气呢？</label>" in page
    row = {"question": "", "division": "eia", "part": "", "reason": "环评阶段"}
    press(browser, accepted, "reassign", **given(row, assignment=air.pk))
    moved = Assignment.objects.get(division__code="eia")
    assert (moved.question, moved.part) == ("废气呢？", Part.SUPPORT)


def test_what_another_officer_moved_meanwhile_is_refused_in_words_that_say_so(browser, accepted, two_given):
    _, air = two_given
    row = given({"question": "废气呢？", "division": "eia", "reason": "环评阶段"}, assignment=air.pk)
    press(browser, accepted, "reassign", **row)
    page = press(browser, accepted, "reassign", **row).content.decode()
    assert "所选的这一项刚刚有变动，可能已被他人办理" in page
    assert Assignment.objects.filter(division__code="eia").count() == 1


def test_call_about_a_letter_that_is_settled_by_now_is_refused_in_words_that_say_so(browser):
    firm = made.appointment(phone="+865802021234")
    letters.write("booking_received", firm, at=made.NOW)
    letters.write("booking_amended", firm, at=made.NOW)
    first, second = Notice.objects.filter(channel="call").order_by("pk")
    told = {"outcome": "reached", "gist": "已告知受理编号"}
    press(browser, firm, "notified", letters=[first.pk], **told)
    page = press(browser, firm, "notified", letters=[first.pk, second.pk], **told).content.decode()
    assert "有的通知刚刚由他人告知，或不用再告知了" in page and "已告知受理编号</textarea>" in page


# --- A supplement is owed an answer ------------------------------------------------------------------------------------
@pytest.fixture
def all_but_the_supplement(coordinator, handler, head):
    """A firm that asked in writing, and once more. To the first question its division is about to reply."""
    firm = made.appointment(stage=Stage.ACCEPTED, wants_onsite=False)
    work = made.assignment(firm, "水处", by=coordinator)
    supplement = additions.add_question(firm, "污泥怎么处置？", at=made.NOW)
    replies.finish_draft(work, "可以接管。", "", version=0, by=handler, at=made.NOW)
    replies.sign(work, version=1, by=head, at=made.NOW)
    return supplement


def progress_page(of: Appointment) -> str:
    firm = Client()
    firm.post("/status/", {"reference": of.reference, "phone": of.phone_number.removeprefix("+86")})
    return firm.get("/status/").content.decode()


def test_firm_is_not_answered_while_its_supplement_waits_for_a_division(browser, all_but_the_supplement):
    firm = Appointment.objects.get()
    assert firm.stage == Stage.ACCEPTED
    assert "综合处正在安排处室答复。" in progress_page(firm)
    row = {"question": "", "division": "soil", "reason": "按职责"}
    press(browser, firm, "supplement", **given(row, supplement=all_but_the_supplement.pk))
    assert "土壤处正在研究" in progress_page(firm)


def test_firm_is_answered_once_its_supplement_needs_no_reply_of_its_own(browser, all_but_the_supplement):
    firm = Appointment.objects.get()
    assert replies.mark_answered(at=made.NOW) == 0
    press(browser, firm, "supplement_noted", supplement=all_but_the_supplement.pk)
    seating.FILL.run("", made.NOW, made.NOW)
    firm.refresh_from_db()
    assert firm.stage == Stage.ANSWERED


@pytest.mark.parametrize("stage", [Stage.DEFERRED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT])
def test_silence_does_not_close_a_registration_whose_supplement_waits(stage, coordinator, head):
    firm = made.appointment(stage=Stage.ACCEPTED)
    additions.add_question(firm, "污泥怎么处置？", at=made.NOW)
    made.released(firm, "水处", "可以接管。", by=head)
    Appointment.objects.update(stage=stage)
    later = made.NOW.replace(year=2027, month=2)
    for kind in ("deferred", "reply_released", "heard_absent"):
        tell(firm, kind)
    assert close_unanswered("", later, later) == 0
    assert "综合处正在安排处室答复。" in progress_page(firm)
    firm.supplements.update(handled_at=made.NOW)
    assert close_unanswered("", later, later) == 1


def tell(firm: Appointment, kind: str) -> None:
    about = {"about_kind": "appointments.appointment", "about_id": str(firm.pk), "kind": kind}
    Notice.objects.create(
        **about,
        channel="sms",
        state=State.SENT,
        sent_at=made.NOW,
        created_at=made.NOW,
        due_at=made.NOW,
        dedupe_key=kind,
        to_name="张三",
    )


def test_supplement_of_a_registration_in_review_is_no_task_of_its_own(browser, accepted):
    additions.add_question(accepted, "污泥怎么处置？", at=made.NOW)
    assert worklists.supplements_to_assign().count() == 1
    press(browser, accepted, "reconsider", reason="判断有误")
    assert worklists.supplements_to_assign().count() == 0


# --- Objections ---------------------------------------------------------------------------------------------------------
def object_as(firm: Appointment, name: str, phone: str) -> Objection:
    return additions.object_to(firm, contact_name=name, phone=phone, text="", at=made.NOW)


def test_objection_shows_whom_to_call(browser, accepted, signed_in):
    object_as(accepted, "李四", "+8613900001111")
    page = show(browser, accepted)
    assert "李四" in page and "139 0000 1111" in page
    # Who does not telephone reads neither in full.
    masked = show(signed_in(made.officer(Role.LEADER)), accepted)
    assert "李四" not in masked and "139 0000 1111" not in masked and "139****1111" in masked


def test_each_person_who_objects_is_called_and_one_verdict_answers_all(browser, accepted):
    object_as(accepted, "李四", "+8613900001111")
    assert object_as(accepted, "王五", "+8613900002222") != object_as(accepted, "李四", "+8613900001111")
    assert Objection.objects.count() == 2
    page = show(browser, accepted)
    assert "139 0000 1111" in page and "139 0000 2222" in page
    press(browser, accepted, "objection", verdict=Verdict.VOID, gist="已电话核实")
    assert set(Objection.objects.values_list("verdict", flat=True)) == {Verdict.VOID}
    assert not worklists.objections_to_decide()

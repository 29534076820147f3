"""更正 and 补充 of a released reply at the desk: written, sent back, signed by a second person, and read by the firm."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage import limbo, reminders, replies
from triage.models import Assignment, AssignmentState, Reply, ReplyKind, ReplyVersion
from zhoushan_consult.audit.models import Entry
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.outbox import kinds
from zhoushan_consult.outbox.models import Channel, Notice
from zhoushan_consult.outbox.posting import letters_to_page

from . import factories
from .desk import page_of, read, step

pytestmark = pytest.mark.django_db
FIRST = "可以接入。先办理排水许可。"
RIGHT = "可以接入。先办理接管意见，再办理排水许可。"
LAW = "《城镇污水排入排水管网许可管理办法》第四条"
LATER = factories.NOW + timedelta(days=5)


@pytest.fixture(autouse=True)
def the_twentieth(time_machine):
    time_machine.move_to(factories.NOW, tick=False)


def answered(number, handler, head, stage=Stage.ANSWERED) -> Assignment:
    """A question of a firm that wanted a written reply; 水处 has answered it."""
    firm = factories.appointment(
        number, stage=Stage.ACCEPTED, wants_onsite=False, phone=f"1385720000{number}"
    )
    given = factories.assignment(firm, "水处", by=handler)
    replies.finish_draft(given, FIRST, LAW, version=0, by=handler, at=factories.NOW)
    replies.sign(given, version=1, by=head, at=factories.NOW)
    Appointment.objects.filter(pk=firm.pk).update(stage=stage)
    return Assignment.objects.get(pk=given.pk)


@pytest.fixture
def row(handler, head):
    return answered(1, handler, head)


@pytest.fixture
def bystander(row, handler, head):
    """Another firm with the same reply; nothing of it changes."""
    return answered(2, handler, head)


@pytest.fixture
def drafter(signed_in, handler):
    return signed_in(handler)


@pytest.fixture
def signer(signed_in, head):
    return signed_in(head)


def write(browser, row, body=RIGHT, *, kind="correction", version=1, name="submit-revision", law=LAW):
    data = {"kind": kind, "body": body, "law": law, "version": version}
    return browser.post(step(row, name), data, follow=True)


def told(row) -> list[tuple[str, str]]:
    """Heading and text of the letters about replies on the firm's page, the newest first."""
    letters = letters_to_page(row.appointment).filter(kind__startswith="reply_")
    return [(letter.subject, letter.text) for letter in letters]


# --- From the first word to the firm ----------------------------------------------------------------------------------
@pytest.mark.parametrize("stage", [Stage.ANSWERED, Stage.CLOSED, Stage.HEARD, Stage.ABSENT, Stage.FOLLOWING])
def test_correction_reaches_the_firm_at_any_stage_and_the_first_letter_stays(
    stage, handler, head, signed_in, row, bystander, time_machine
):
    Appointment.objects.filter(pk=row.appointment_id).update(stage=stage)
    (first,) = told(row)
    before = told(bystander)
    time_machine.move_to(LATER, tick=False)
    drafter, signer = signed_in(handler), signed_in(head)
    assert "已送审签" in read(write(drafter, row))
    assert told(row) == [first]
    signer.post(step(row, "sign"), {"version": 2})
    newest, oldest = told(row)
    assert newest[0] == "更正：水处的答复意见"
    assert "水处2026年11月20日的答复有不准确的地方" in newest[1] and RIGHT in newest[1]
    assert "（水处，2026年11月25日）" in newest[1]
    assert oldest == first and FIRST in first[1]
    row.appointment.refresh_from_db()
    assert row.appointment.stage == stage
    assert told(bystander) == before


def test_supplement_is_marked_and_leaves_the_first_reply_in_force(drafter, signer, row):
    write(drafter, row, "许可一般二十日内办结。", kind="supplement")
    signer.post(step(row, "sign"), {"version": 2})
    newest = told(row)[0]
    assert newest[0] == "补充：水处的答复意见" and "已答复，现补充如下" in newest[1]
    assert [reply.body for reply in row.replies_in_force] == [FIRST, "许可一般二十日内办结。"]


def test_correction_stands_instead_of_all_that_was_said_before(drafter, signer, row):
    for version, kind, body in (
        (1, "supplement", "补充。"),
        (2, "correction", RIGHT),
        (3, "supplement", "又补。"),
    ):
        write(drafter, row, body, kind=kind, version=version)
        signer.post(step(row, "sign"), {"version": version + 1})
        row = Assignment.objects.get(pk=row.pk)
    assert [reply.body for reply in row.replies_in_force] == [RIGHT, "又补。"]
    assert [reply.body for reply in row.signed_replies] == ["又补。", RIGHT, "补充。", FIRST]


def test_firm_reads_the_newest_reply_first_on_its_page(handler, head, signed_in, row, client, time_machine):
    time_machine.move_to(LATER, tick=False)
    drafter, signer = signed_in(handler), signed_in(head)
    write(drafter, row)
    signer.post(step(row, "sign"), {"version": 2})
    page = client.post(
        "/status/",
        {"reference": row.appointment.reference, "phone": row.appointment.phone_number},
        follow=True,
    )
    words = read(page)
    assert words.index("更正：水处的答复意见 2026年11月25日") < words.index("水处的答复意见 2026年11月20日")
    assert FIRST in words and RIGHT in words


def test_text_messages_about_a_correction_carry_none_of_it(drafter, signer, row):
    write(drafter, row)
    signer.post(step(row, "sign"), {"version": 2})
    sms = Notice.objects.get(kind="reply_corrected", channel=Channel.SMS)
    assert "更正" in sms.text and row.appointment.reference in sms.text and "接管" not in sms.text


# --- The desk ----------------------------------------------------------------------------------------------------------
def test_correction_starts_from_what_holds_and_a_supplement_from_nothing(drafter, row):
    page = drafter.get(page_of(row))
    assert "更正这份答复" in read(page) and not page.context["writing"]
    correction = drafter.get(page_of(row), {"revise": "correction"}).context["writing"]
    supplement = drafter.get(page_of(row), {"revise": "supplement"}).context["writing"]
    assert (correction["body"].value(), correction["kind"].value()) == (FIRST, "correction")
    assert (supplement["body"].value(), supplement["kind"].value()) == ("", "supplement")


def test_correction_goes_back_with_a_remark_and_up_again(drafter, signer, row):
    write(drafter, row)
    back = signer.post(step(row, "send-back"), {"remark": "写明时限"}, follow=True)
    assert "已退回修改" in read(back)
    page = drafter.get(page_of(row))
    assert "写明时限" in read(page) and page.context["writing"]["body"].value() == RIGHT
    write(drafter, row, RIGHT + "二十日内。", version=2)
    signer.post(step(row, "sign"), {"version": 3})
    assert RIGHT + "二十日内。" in told(row)[0][1]


def test_correction_stands_in_the_lists_of_handler_and_head(drafter, signer, row, bystander):
    listed = drafter.get("/desk/assignments/")
    assert not listed.context["page"].object_list
    write(drafter, row, name="save-revision")
    listed = drafter.get("/desk/assignments/")
    assert [found.pk for found in listed.context["page"]] == [row.pk]
    assert "更正答复" in read(listed) and "11月25日" in read(listed) and "待答复 1" in read(listed)
    write(drafter, row, version=2)
    assert "待答复 0" in read(drafter.get("/desk/assignments/"))
    to_sign = signer.get("/desk/assignments/")
    assert (to_sign.context["tab"].slug, [found.pk for found in to_sign.context["page"]]) == (
        "to-sign",
        [row.pk],
    )
    assert "已答复 2" in read(to_sign)


def test_desk_shows_every_released_reply_the_newest_first(drafter, signer, row):
    write(drafter, row)
    signer.post(step(row, "sign"), {"version": 2})
    words = read(drafter.get(page_of(row)))
    assert words.index("更正答复 最新") < words.index(RIGHT) < words.index("答复意见") < words.rindex(FIRST)


def test_revision_that_is_dropped_leaves_no_trace_with_the_firm(drafter, row):
    write(drafter, row, name="save-revision")
    page = drafter.post(step(row, "drop-revision"), follow=True)
    assert "不再更正或补充" in read(page) and "更正这份答复" in read(page)
    assert len(told(row)) == 1 and ReplyVersion.objects.filter(reply__assignment=row).count() == 2
    assert "待答复 0" in read(drafter.get("/desk/assignments/"))


def test_second_clicks_on_a_revision_change_nothing_more(drafter, signer, row):
    for name in ("save-revision", "save-revision", "submit-revision", "submit-revision"):
        assert write(drafter, row, name=name).status_code == 200
    for _ in range(2):
        assert "已审签" in read(signer.post(step(row, "sign"), {"version": 2}, follow=True))
    assert len(told(row)) == 2


def test_two_officers_who_correct_at_once_see_both_texts(drafter, signed_in, officer, row):
    other = signed_in(officer(Role.HANDLER, "水处", name="水流"))
    write(other, row, "水流的更正。", name="save-revision")
    page = write(drafter, row, "我的更正。", name="save-revision")
    assert page.status_code == 409
    assert (
        "水流刚刚保存了另一稿" in read(page) and "水流的更正。" in read(page) and "我的更正。" in read(page)
    )


def test_correction_begun_on_a_page_that_another_has_overtaken_keeps_its_text(drafter, signer, row):
    write(drafter, row)
    signer.post(step(row, "sign"), {"version": 2})
    page = write(drafter, row, "旧页上的更正。", name="save-revision", version=1)
    assert page.status_code == 409 and "旧页上的更正。" in read(page) and RIGHT in read(page)
    assert Reply.objects.filter(assignment=row).count() == 2


def test_kind_must_be_chosen_and_the_text_stays(drafter, row):
    page = write(drafter, row, kind="")
    assert page.status_code == 422 and "请选择是更正还是补充" in read(page) and RIGHT in read(page)


def test_withdrawn_firm_is_told_nothing_more(drafter, row):
    Appointment.objects.filter(pk=row.appointment_id).update(stage=Stage.WITHDRAWN)
    assert "更正这份答复" not in read(drafter.get(page_of(row)))
    assert write(drafter, row).status_code == 409
    assert len(told(row)) == 1


def test_revision_page_query_count_stays_bounded(drafter, signer, row, django_assert_max_num_queries):
    for version in range(1, 6):
        write(drafter, row, f"第{version}次补充。", kind="supplement", version=version)
        signer.post(step(row, "sign"), {"version": version + 1})
    write(drafter, row, version=6)
    with django_assert_max_num_queries(14):
        signer.get(page_of(row))


def test_withdrawal_drops_a_correction_in_hand_and_closing_does_not(drafter, row, bystander):
    for each in (row, bystander):
        write(drafter, each, name="save-revision")
    Appointment.objects.filter(pk=row.appointment_id).update(stage=Stage.ACCEPTED)
    row.appointment.refresh_from_db()
    row.appointment.move_to(Stage.WITHDRAWN, by=None, at=factories.NOW)
    bystander.appointment.refresh_from_db()
    bystander.appointment.move_to(Stage.CLOSED, by=None, at=factories.NOW)
    dropped = Reply.objects.filter(dropped_at=factories.NOW)
    assert [reply.assignment for reply in dropped] == [row]
    assert Entry.objects.filter(verb=Verb.REVISION_DROPPED).count() == 1


def standing_letters(kind: str) -> list[str]:
    """Why each waiting letter of this kind would not leave now; "" for one that leaves."""
    found = Notice.objects.filter(kind=kind, channel=Channel.SMS).order_by("pk")
    return [kinds.find(kind).outdated(letter.about(), letter.params, LATER) for letter in found]


def test_letters_about_a_correction_leave_while_its_turn_lasts(drafter, signer, handler, head, row):
    for number, who in enumerate((handler, head)):
        type(who).objects.filter(pk=who.pk).update(phone=f"1385720555{number}")
    Notice.objects.all().delete()
    write(drafter, row)
    assert standing_letters("reply_to_sign") == [""]
    signer.post(step(row, "send-back"), {"remark": "再改"})
    assert (standing_letters("reply_to_sign"), standing_letters("reply_sent_back")) == (["答复待答复"], [""])
    write(drafter, row, RIGHT + "。", version=2)
    signer.post(step(row, "sign"), {"version": 3})
    assert standing_letters("reply_sent_back") == ["答复已答复"]
    assert standing_letters("reply_corrected") == [""]
    Appointment.objects.filter(pk=row.appointment_id).update(stage=Stage.WITHDRAWN)
    assert standing_letters("reply_corrected") != [""]


# --- Two persons -------------------------------------------------------------------------------------------------------
@pytest.fixture
def given(coordinator):
    """A question that 水处 has not answered."""
    firm = factories.appointment(7, stage=Stage.ACCEPTED, phone="13857200007")
    return factories.assignment(firm, "水处", by=coordinator)


def draft(browser, row, name, body=FIRST, version=0):
    return browser.post(step(row, name), {"body": body, "law": LAW, "version": version}, follow=True)


def test_head_does_not_sign_the_own_draft_while_a_colleague_is_there(drafter, signer, given, handler):
    words = read(draft(signer, given, "save"))
    assert "请先保存，由水清送审签，您再审签" in words
    page = signer.get(page_of(given)).content.decode()
    assert f'formaction="{step(given, "save")}' in page and f'formaction="{step(given, "submit")}' not in page
    draft(drafter, given, "submit", version=1)
    assert Reply.objects.get(assignment=given).drafted_by == handler
    assert "审签并答复企业" in read(signer.get(page_of(given)))
    signer.post(step(given, "sign"), {"version": 2})
    reply = Reply.objects.get(assignment=given)
    assert (reply.drafted_by, reply.signed_by.name, reply.one_person_note) == (handler, "水长", "")


def test_second_head_signs_what_the_first_one_drafted(signer, signed_in, officer, given):
    deputy = signed_in(officer(Role.HEAD, "水处", name="水副"))
    draft(signer, given, "submit")
    page = read(signer.get(page_of(given)))
    assert "审签并答复企业" not in page and "请由水副审签" in page
    assert signer.post(step(given, "sign"), {"version": 1}).status_code == 409
    deputy.post(step(given, "sign"), {"version": 1})
    assert Reply.objects.get(assignment=given).signed_by.name == "水副"


def test_head_sends_up_a_colleagues_draft_only_as_it_is(drafter, signer, given):
    draft(drafter, given, "save")
    page = signer.get(page_of(given)).content.decode()
    assert f'formaction="{step(given, "submit-as-it-is")}' in page
    assert f'formaction="{step(given, "submit")}' not in page
    for _ in range(2):
        assert "已送审签" in read(signer.post(step(given, "submit-as-it-is"), follow=True))
    signer.post(step(given, "sign"), {"version": 1})
    assert Reply.objects.get(assignment=given).one_person_note == ""


def test_draft_of_the_only_head_before_nobody_is_found_in_limbo(signed_in, officer, head, handler, given):
    deputy = officer(Role.HEAD, "水处", name="水副")
    draft(signed_in(deputy), given, "submit")
    assert not [found for found in limbo.search(factories.NOW) if found.hole.name == "without_signer"]
    type(head).objects.filter(pk=head.pk).update(is_active=False)
    holes = [found for found in limbo.search(factories.NOW) if found.hole.name == "without_signer"]
    assert [found.record for found in holes] == [given]


def test_correction_in_a_division_without_officers_is_found_in_limbo(drafter, handler, head, row, bystander):
    write(drafter, row, name="save-revision")
    name = "revision_without_officer"
    assert not [found for found in limbo.search(factories.NOW) if found.hole.name == name]
    type(head).objects.filter(pk__in=[head.pk, handler.pk]).update(is_active=False)
    holes = [found for found in limbo.search(factories.NOW) if found.hole.name == name]
    assert [found.record.assignment for found in holes] == [row]


@pytest.fixture
def alone(officer):
    """The one officer of 土壤处, handler and head."""
    return officer([Role.HANDLER, Role.HEAD], "土壤处", name="独山", phone="13857201111")


def test_division_of_one_person_signs_and_every_record_says_so(
    alone, signed_in, coordinator, leader, given, handler, head
):
    soil = factories.assignment(given.appointment, "土壤处", by=coordinator, question="污泥怎么办？")
    browser = signed_in(alone)
    draft(browser, soil, "submit", "交有资质的单位。")
    note = "本处室当时没有第二位能拟稿或审签的同志，由独山一人拟写并审签。"
    assert note in read(browser.get(page_of(soil)))
    browser.post(step(soil, "sign"), {"version": 1})
    assert Reply.objects.get(assignment=soil).one_person_note == note
    assert Entry.objects.get(verb=Verb.REPLY_SIGNED).facts == {"version": 1, "note": note}
    screen = reverse("admin:appointments_appointment_change", args=[soil.appointment_id])
    assert note in read(signed_in(coordinator).get(screen)) and note in read(browser.get(page_of(soil)))
    assert all("独山" not in text and "第二位" not in text for _, text in told(soil))
    assert not Notice.objects.filter(kind="reply_to_sign").exists()


def test_draft_goes_nowhere_where_nobody_may_sign(signed_in, officer, coordinator, given):
    air = factories.assignment(given.appointment, "大气处", by=coordinator, question="异味？")
    browser = signed_in(officer(Role.HANDLER, "大气处"))
    page = draft(browser, air, "submit", "已查看。")
    assert (
        page.status_code == 409
        and "大气处还没有能审签的负责人账号" in read(page)
        and "已查看。" in read(page)
    )
    assert f'formaction="{step(air, "submit")}' not in page.content.decode()
    assert Assignment.objects.get(pk=air.pk).state == AssignmentState.OPEN


def test_draft_that_came_back_reaches_its_drafter_and_the_handlers(
    signed_in, officer, handler, head, given, signer
):
    deputy = officer(Role.HEAD, "水处", name="水副", phone="13857202222")
    type(handler).objects.filter(pk=handler.pk).update(phone="13857203333")
    draft(signed_in(deputy), given, "submit")
    signer.post(step(given, "send-back"), {"remark": "再改"})
    back = Notice.objects.filter(kind="reply_sent_back", channel=Channel.SMS)
    assert sorted(back.values_list("to_name", flat=True)) == ["水副", "水清"]


# --- Terms -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("day", "told_to"),
    [
        (date(2026, 11, 20), []),
        (date(2026, 11, 23), ["revision_soon 水清"]),
        (date(2026, 11, 25), ["revision_soon 水清"]),
        (date(2026, 11, 26), ["revision_late 水清", "revision_late 水长"]),
    ],
)
def test_division_is_reminded_of_a_correction_before_and_after_its_term(
    day, told_to, drafter, handler, head, row, bystander
):
    for number, who in enumerate((handler, head)):
        type(who).objects.filter(pk=who.pk).update(phone=f"1385720444{number}")
    write(drafter, row, name="save-revision")
    assert Reply.objects.get(assignment=row, kind=ReplyKind.CORRECTION).due_on == date(2026, 11, 25)
    at = factories.NOW.replace(day=day.day, hour=8, minute=40)
    reminders.remind_divisions("", at, at)
    reminders.remind_divisions("", at, at)
    letters = Notice.objects.filter(kind__startswith="revision_", channel=Channel.SMS)
    assert sorted(f"{letter.kind} {letter.to_name}" for letter in letters) == told_to


def test_late_correction_is_listed_for_coordinators_and_leaders(
    handler, row, bystander, coordinator, leader, signed_in, time_machine
):
    write(signed_in(handler), row, name="save-revision")
    assert "没有逾期的交办" in read(signed_in(coordinator).get("/admin/"))
    time_machine.move_to(factories.NOW + timedelta(days=6), tick=False)
    words = read(signed_in(coordinator).get("/admin/"))
    assert "逾期交办 1 件" in words and f"更正答复：{row.question[:20]}" in words and "逾期 1 天" in words
    overview = signed_in(leader).get("/desk/overview/")
    assert [found.pk for found in overview.context["page"]] == [row.pk]
    assert "水处（更正答复）" in read(overview) and "已逾期 1 天" in read(overview)
    assert overview.context["totals"][0].late == 1

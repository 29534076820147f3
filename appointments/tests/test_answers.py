"""公开答复: seen by two, naming no firm, findable, never edited in public (五（二）)."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from appointments import answers
from appointments.answers import Wording
from appointments.models import Appointment, Publicity, PublishedAnswer
from appointments.similarity.cached_index import REFRESH_EVERY
from triage.tests.factories import appointment
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.models import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(time_machine):
    """Set the clock, Shanghai; what it says."""

    def set_to(text: str, later: timedelta = timedelta()):
        now = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) + later
        time_machine.move_to(now, tick=False)
        return now

    set_to("2026-11-20 15:00")
    return set_to


@pytest.fixture
def wording(db):
    def make(**changes):
        soil = Division.objects.get(code="soil")
        return Wording(
            **{
                "question": "废油漆桶怎么处置？",
                "answer": "属于危险废物，委托有资质的单位处置。",
                "law": "《国家危险废物名录》",
                "division": soil,
                "topic": "soil",
                **changes,
            }
        )

    return make


@pytest.fixture
def public(coordinator, leader, wording, clock):
    def make(**changes):
        now = clock("2026-11-02 09:00")
        made = answers.propose(wording(**changes), by=coordinator, at=now)
        answers.publish(made, version=made.version, by=leader, at=now)
        return made

    return make


def screen(answer, act="change"):
    return reverse(f"admin:appointments_publishedanswer_{act}", args=[answer.pk])


def typed(**changes):
    soil = Division.objects.get(code="soil")
    return {
        "question": "废油漆桶怎么处置？",
        "answer": "委托有资质的单位处置。",
        "law": "《国家危险废物名录》",
        "division": soil.pk,
        "topic": "soil",
        **changes,
    }


def test_public_answer_is_shown_to_anyone(client, public):
    page = client.get(public().get_absolute_url())
    text = page.content.decode()
    assert page.status_code == 200
    assert all(
        word in text
        for word in (
            "废油漆桶怎么处置？",
            "委托有资质的单位处置",
            "《国家危险废物名录》",
            "土壤处",
            "2026年11月2日",
        )
    )


def test_draft_answer_is_hidden(client, coordinator, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-02 09:00"))
    assert client.get(draft.get_absolute_url()).status_code == 404
    assert "废油漆桶" not in client.get("/answers/").content.decode()


def test_answer_is_published_by_a_second_person(signed_in, coordinator, leader, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-02 09:00"))
    refused = signed_in(coordinator).post(screen(draft, "publish"), {"version": draft.version})
    assert "另一位" in refused.content.decode() and refused.status_code == 409
    signed_in(leader).post(screen(draft, "publish"), {"version": draft.version})
    draft.refresh_from_db()
    assert (draft.state, draft.approved_by) == (Publicity.PUBLISHED, leader)


def test_no_row_can_be_public_that_one_person_alone_saw(public):
    made = public()
    with pytest.raises(IntegrityError), transaction.atomic():
        PublishedAnswer.objects.filter(pk=made.pk).update(approved_by=made.drafted_by)


def test_last_person_to_amend_becomes_the_drafter(signed_in, coordinator, leader, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-02 09:00"))
    signed_in(leader).post(screen(draft, "amend"), typed(version=draft.version, answer="改过的答复。"))
    draft.refresh_from_db()
    assert (draft.answer, draft.drafted_by) == ("改过的答复。", leader)
    refused = signed_in(leader).post(screen(draft, "publish"), {"version": draft.version})
    assert refused.status_code == 409


def test_only_the_wording_that_was_read_is_published(signed_in, coordinator, leader, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-02 09:00"))
    read = draft.version
    signed_in(coordinator).post(screen(draft, "amend"), typed(version=read, answer="刚改过。"))
    refused = signed_in(leader).post(screen(draft, "publish"), {"version": read})
    draft.refresh_from_db()
    assert draft.state == Publicity.DRAFT and "刚被他人改动" in refused.content.decode()


@pytest.mark.parametrize(
    "field, text, says",
    [
        ("question", "我是舟山远洋船舶修造有限公司，漆桶怎么处置？", "企业名称"),
        ("answer", "请联系 13800138000 处理。", "手机号码"),
        ("answer", "请拨打 0580-2021234。", "电话号码"),
        ("answer", "发到 abc@example.com", "电子邮箱"),
        ("answer", "证件号 33090219700101001X", "证件号码"),
    ],
)
def test_identifying_text_is_refused_with_the_reason(signed_in, coordinator, field, text, says):
    page = signed_in(coordinator).post(
        reverse("admin:appointments_publishedanswer_add"), typed(**{field: text})
    )
    body = page.content.decode()
    assert f"公开的文字里不能有{says}" in body and text.split()[0] in body
    assert not PublishedAnswer.objects.exists()


def test_answer_cannot_name_the_firm_that_asked(coordinator, wording, clock):
    clock("2026-11-02 09:00")
    source = appointment()
    short = source.enterprise_name.removeprefix("舟山").removesuffix("有限公司")
    with pytest.raises(Exception, match="不能有"):
        answers.propose(
            wording(answer=f"{short}的漆桶要交给有资质的单位。"),
            source=source,
            by=coordinator,
            at=clock("2026-11-02 09:00"),
        )


def test_withdrawn_answer_says_so_with_its_date(client, signed_in, coordinator, public, clock):
    made = public()
    clock("2026-11-20 10:00")
    signed_in(coordinator).post(screen(made, "withdraw"), {"version": 2, "remark": "依据已废止"})
    text = client.get(made.get_absolute_url()).content.decode()
    assert "2026年11月20日撤回" in text and "委托有资质的单位处置" not in text and "依据已废止" not in text
    assert "废油漆桶" not in client.get("/answers/").content.decode()


def test_replaced_answer_links_to_the_new_one(client, signed_in, coordinator, leader, public, clock):
    old = public()
    signed_in(coordinator).post(screen(old, "renew"), typed(answer="新的办法。"))
    new = old.replacements.get()
    signed_in(leader).post(screen(new, "publish"), {"version": new.version})
    text = client.get(old.get_absolute_url()).content.decode()
    assert "已更新" in text and new.get_absolute_url() in text
    assert new.get_absolute_url() in client.get("/answers/").content.decode()
    assert f'href="{old.get_absolute_url()}"' not in client.get("/answers/").content.decode()


@pytest.mark.parametrize("role", ["handler", "head", "watcher", "keeper", "county_reader"])
def test_other_roles_cannot_draft(signed_in, request, role):
    browser = signed_in(request.getfixturevalue(role))
    add = reverse("admin:appointments_publishedanswer_add")
    assert browser.get(add).status_code == 403
    assert browser.post(add, typed()).status_code == 403
    assert not PublishedAnswer.objects.exists()


# --- Whose turn it is ------------------------------------------------------------------------------------------------
@pytest.fixture
def publishers(coordinator, leader, officer):
    """Three who may publish, one who has left, and one who may not."""
    for number, who in enumerate((coordinator, leader), 1):
        type(who).objects.filter(pk=who.pk).update(phone=f"1385720800{number}")
    officer("综合处经办", "综合处", name="钟平", phone="13857208003")
    officer("综合处经办", "综合处", name="已离任", phone="13857208004", is_active=False)
    officer("处室经办", "水处", name="某经办", phone="13857208005")


def told() -> list[str]:
    """Kind and reader of each letter about a public answer, in the order of writing."""
    letters = Notice.objects.filter(kind__startswith="answer_", channel="sms").order_by("pk")
    return [f"{letter.kind} {letter.to_name}" for letter in letters]


def letters_after(act) -> list[str]:
    before = len(told())
    act()
    return sorted(told()[before:])


def test_draft_is_told_to_everyone_who_may_check_it(publishers, coordinator, wording, clock):
    now = clock("2026-11-20 15:00")
    answers.propose(wording(), by=coordinator, at=now)
    assert sorted(told()) == ["answer_to_publish 方局", "answer_to_publish 钟平"]


def test_draft_that_waits_already_is_told_again_only_where_another_must_check_it(
    publishers, coordinator, leader, wording, clock
):
    now = clock("2026-11-20 15:00")
    draft = answers.propose(wording(), by=coordinator, at=now)

    def amend(by, minute):
        return lambda: answers.amend(
            draft, wording(law="另一依据"), version=draft.version, by=by, at=now + timedelta(minutes=minute)
        )

    assert letters_after(amend(coordinator, 1)) == []
    assert letters_after(amend(leader, 2)) == ["answer_to_publish 钟和", "answer_to_publish 钟平"]


def test_draft_that_came_back_goes_round_again(publishers, coordinator, leader, wording, clock):
    now = clock("2026-11-20 15:00")
    draft = answers.propose(wording(), by=coordinator, at=now)

    def send_back():
        answers.send_back(
            draft, "请写明依据", version=draft.version, by=leader, at=now + timedelta(minutes=1)
        )

    def amend():
        answers.amend(draft, wording(), version=draft.version, by=coordinator, at=now + timedelta(minutes=2))

    assert letters_after(send_back) == ["answer_sent_back 钟和"]
    assert letters_after(amend) == ["answer_to_publish 方局", "answer_to_publish 钟平"]


@pytest.mark.parametrize(
    ("verb", "remark", "kind"),
    [("publish", (), "answer_published"), ("drop", ("已有同类答复",), "answer_dropped")],
)
def test_drafter_is_told_what_was_decided(
    verb, remark, kind, publishers, coordinator, leader, wording, clock
):
    now = clock("2026-11-20 15:00")
    draft = answers.propose(wording(), by=coordinator, at=now)

    def decide():
        getattr(answers, verb)(draft, *remark, version=draft.version, by=leader, at=now)

    assert letters_after(decide) == [f"{kind} 钟和"]


def test_draft_of_somebody_who_left_comes_back_to_the_coordinators(
    publishers, coordinator, leader, officer, wording, clock
):
    now = clock("2026-11-20 15:00")
    gone = officer("局领导", name="前局领导")
    draft = answers.propose(wording(), by=gone, at=now)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)

    def send_back():
        answers.send_back(draft, "请写明依据", version=draft.version, by=leader, at=now)

    assert letters_after(send_back) == ["answer_sent_back 钟和", "answer_sent_back 钟平"]
    assert answers.drafts_for(coordinator).sent_back == [draft]


def test_drafts_stand_with_those_whose_turn_it_is(coordinator, leader, wording, clock):
    now = clock("2026-11-20 15:00")
    waits = answers.propose(wording(), by=coordinator, at=now)
    back = answers.propose(wording(question="废漆渣怎么处置？"), by=coordinator, at=now)
    answers.send_back(back, "请写明依据", version=back.version, by=leader, at=now)
    public = answers.propose(wording(question="废机油怎么处置？"), by=coordinator, at=now)
    answers.publish(public, version=public.version, by=leader, at=now)
    own, theirs = answers.drafts_for(coordinator), answers.drafts_for(leader)
    assert (own.to_check, own.sent_back) == ([], [back])
    assert (theirs.to_check, theirs.sent_back) == ([waits], [])


def test_author_of_a_draft_is_not_offered_to_publish_it(signed_in, coordinator, leader, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-20 15:00"))
    for who, offered in ((coordinator, False), (leader, True)):
        page = signed_in(who).get(screen(draft)).content.decode()
        assert ("核对无误，公开" in page, "退回拟稿人" in page) == (offered, offered)
    assert "已通知另外几位有权限的同志" in signed_in(coordinator).get(screen(draft)).content.decode()


def test_author_who_publishes_from_an_old_page_reads_why_not(signed_in, coordinator, wording, clock):
    draft = answers.propose(wording(), by=coordinator, at=clock("2026-11-20 15:00"))
    refused = signed_in(coordinator).post(screen(draft, "publish"), {"version": draft.version})
    assert "另一位" in refused.content.decode() and refused.status_code == 409


# --- Finding ---------------------------------------------------------------------------------------------------------
def test_search_finds_an_answer_by_everyday_words(client, public, clock):
    public()
    public(question="排污许可证到期怎么延续？", answer="届满六十日前申请。", topic="permit")
    text = client.get("/answers/", {"q": "漆桶咋处理"}).content.decode()
    assert "废油漆桶怎么处置" in text and "排污许可证到期" not in text
    assert "排污许可证到期" in client.get("/answers/", {"q": "六十日"}).content.decode()


def test_answers_are_filtered_by_division_and_topic(client, public):
    public()
    assert "废油漆桶" in client.get("/answers/", {"division": "soil", "topic": "soil"}).content.decode()
    text = client.get("/answers/", {"division": "water"}).content.decode()
    assert "废油漆桶" not in text and "预约登记" in text


@pytest.mark.parametrize(
    "query, status",
    [
        ("q=%00", 400),
        ("q=%ff%fe", 400),
        ("division=nobody", 200),
        ("p=zzz", 200),
        ("q=" + "废" * 300, 200),
        ("topic=x&p=99", 200),
    ],
)
def test_odd_queries_cause_no_server_error(client, public, query, status):
    public()
    assert client.get(f"/answers/?{query}").status_code == status


def test_new_answer_is_found_within_a_minute(client, public, monkeypatch):
    seconds = [1000.0]
    process = answers.new_published_index(clock=lambda: seconds[0])
    monkeypatch.setattr(answers, "published_index", process)
    assert "废油漆桶" not in client.get("/answers/", {"q": "漆桶怎么处置"}).content.decode()
    public()
    # Published by another process: this one has not been told.
    seconds[0] += REFRESH_EVERY
    assert "废油漆桶" in client.get("/answers/", {"q": "油漆空桶交给谁"}).content.decode()


# --- The firm, before it registers -----------------------------------------------------------------------------------
def test_search_text_that_is_too_long_is_kept_and_refused(client, public):
    answer = public()
    page = client.get("/answers/", {"q": "废油漆桶" * 30}).content.decode()
    assert "废油漆桶" * 30 in page and "已写 120 字，最多 100 字" in page
    assert f'href="/answers/{answer.pk}/"' not in page


def test_firm_sees_similar_answers_before_it_registers(client, public, firm, clock):
    public()
    data = firm(summary="我们油漆用完的空桶怎么处置？")
    page = client.post("/register/", {**data, "step": "check"}, follow=True).content.decode()
    assert "以下问题已有答复，是否已解决您的疑问？" in page and "委托有资质的单位处置" in page
    assert client.post("/register/", {**data, "step": "submit"}).status_code == 302
    assert Appointment.objects.get().summary == data["summary"]


def test_firm_with_another_question_sees_no_answers(client, public, firm, clock):
    public()
    data = firm(summary="排污许可证的法定代表人怎么变更？")
    page = client.post("/register/", {**data, "step": "check"}, follow=True).content.decode()
    assert data["summary"] in page and "是否已解决您的疑问" not in page

"""Every act on a plan and on its list of receptions, by one table: who may, what it writes, whom it tells, what it leaves unchanged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from sessions_app import calendar, planning, preparing, receiving
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, PlanChange, Reception, Seat
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, NotAllowed
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.tests.evidence import LETTERS, TRAIL, entries, letters, name, refused, rows

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 25, 10, tzinfo=SHANGHAI)
DAY, BEFORE, AFTER = date(2026, 12, 10), date(2026, 11, 10), date(2027, 1, 10)
TEXTS = {"theme": "雨污分流", "partners": "市水务局", "place": "三楼会议室", "note": "请从东门进"}
OTHER = {"theme": "排污许可", "partners": "海事局", "place": "五楼会议室", "note": "带公章"}


@dataclass(frozen=True)
class Case:
    """One act: `do(scene, by, at)` on a plan that stands at `plan`, its roles, and all that it leaves behind."""

    name: str
    do: Callable
    roles: frozenset
    verb: str
    plan: Plan = Plan.DRAFT
    about: str = "day"
    facts: dict = field(default_factory=dict)
    letters: frozenset = frozenset()

    def __str__(self):
        return self.name


def write(scene, by, at, texts=OTHER):
    planning.edit(scene.day, [Reception(name="新人", title="科长")], version=1, by=by, at=at, **texts)


def amend(scene, by, at, texts=OTHER):
    planning.change(scene.day, scene.receivers(), "三楼停电", version=1, by=by, at=at, **texts)


WRITERS, DECIDERS = frozenset({Role.COORDINATOR}), frozenset({Role.LEADER})
HOSTS = frozenset({Role.COORDINATOR, Role.WATCH})


def to_coordinators(kind: str) -> frozenset:
    return frozenset({(kind, "sms", "钟和"), (kind, "email", "钟和"), (kind, "sms", "第二位经办")})


TO_LEADERS = frozenset({("plan_to_approve", "sms", "某局领导")})
CASES = [
    Case("edit", write, WRITERS, Verb.PLAN_EDITED),
    Case(
        "change",
        amend,
        WRITERS,
        Verb.PLAN_CHANGED,
        Plan.PUBLISHED,
        facts={
            "what": "服务主题由“雨污分流”改为“排污许可”；联动单位由“市水务局”改为“海事局”；"
            "服务地点由“三楼会议室”改为“五楼会议室”；说明已修改",
            "reason": "三楼停电",
        },
    ),
    Case(
        "submit",
        lambda s, by, at: planning.submit(s.day, by=by, at=at),
        WRITERS,
        Verb.PLAN_SUBMITTED,
        letters=TO_LEADERS,
    ),
    Case(
        "approve",
        lambda s, by, at: planning.approve(s.day, by=by, at=at),
        DECIDERS,
        Verb.PLAN_APPROVED,
        Plan.SUBMITTED,
        letters=to_coordinators("plan_approved"),
    ),
    Case(
        "send_back",
        lambda s, by, at: planning.send_back(s.day, "再改", by=by, at=at),
        DECIDERS,
        Verb.PLAN_SENT_BACK,
        Plan.SUBMITTED,
        letters=to_coordinators("plan_sent_back"),
    ),
    Case(
        "cancel",
        lambda s, by, at: planning.cancel(s.day, "台风", by=by, at=at),
        DECIDERS,
        Verb.DAY_CANCELLED,
        Plan.PUBLISHED,
    ),
    Case(
        "copy_last",
        lambda s, by, at: preparing.copy_last(s.day, by=by, at=at),
        WRITERS,
        Verb.PLAN_COPIED,
        facts={"earlier": "2026-11"},
    ),
    Case(
        "confirm",
        lambda s, by, at: receiving.confirm(s.person, by=by, at=at),
        HOSTS,
        Verb.RECEPTION_CONFIRMED,
        Plan.PUBLISHED,
        about="person",
    ),
    Case(
        "decline",
        lambda s, by, at: receiving.decline(s.person, "出差", by=by, at=at),
        HOSTS,
        Verb.RECEPTION_DECLINED,
        Plan.PUBLISHED,
        about="person",
        letters=to_coordinators("reception_declined"),
    ),
]
CASES_BY_NAME = {case.name: case for case in CASES}
every_act = pytest.mark.parametrize("case", CASES, ids=str)


class Scene:
    """Three months with the same plan, of which those before and after must not change; two receive on each day."""

    def __init__(self, plan: Plan):
        water = Division.objects.get(name="水处")
        for date_ in (BEFORE, DAY, AFTER):
            day = day_on(date_)
            published_at = AT - timedelta(days=9) if plan == Plan.PUBLISHED else None
            ConsultDay.objects.filter(pk=day.pk).update(plan=plan, published_at=published_at, **TEXTS)
            for order, receiver in enumerate(("李江", "王海")):
                Reception.objects.create(day=day, name=receiver, title="处长", division=water, order=order)
        self.day = ConsultDay.objects.get(date=DAY)
        self.person = self.day.receptions.get(name="王海")

    def receivers(self) -> list[Reception]:
        return list(Reception.objects.filter(day=self.day))

    def subject(self, about: str):
        return getattr(self, about)

    def bystanders(self, about: str) -> dict:
        """What an act must not touch: other days, the seats of this one, and where it is about a person the other."""
        own = [self.day, *self.day.changes.all(), *self.receivers()] if about == "day" else [self.person]
        return rows(ConsultDay, Reception, PlanChange, Seat, but=tuple(own))


@pytest.fixture
def scene(case):
    made = Scene(case.plan)
    if case.name == "copy_last":  # the month before has a plan to copy, this one has blanks
        ConsultDay.objects.filter(date=BEFORE).update(plan=Plan.PUBLISHED)
        ConsultDay.objects.filter(date=DAY).update(note="")
        made.day.refresh_from_db()
    return made


@pytest.fixture
def crew(officer, coordinator):
    """Those who are told and those who must not be: two 经办 at work, one who has left, and the other roles."""
    type(coordinator).objects.filter(pk=coordinator.pk).update(phone="13800000001", email="zh@example.com")
    coordinator.refresh_from_db()
    officer(Role.COORDINATOR, "综合处", name="第二位经办", phone="13800000002")
    officer(Role.COORDINATOR, "综合处", name="已离任", phone="13800000003", is_active=False)
    for number, role in enumerate(sorted(set(Role) - {Role.COORDINATOR}), 10):
        officer(role, "水处", area="定海区", name=f"某{role}", phone=f"138000000{number}")


@pytest.fixture
def by(case, officer):
    return officer(min(case.roles), "办公室", name="办事人")


# --- What it leaves behind -------------------------------------------------------------------------------------------
@every_act
def test_act_on_a_plan_writes_exactly_one_entry(case, scene, by):
    case.do(scene, by, AT)
    about = name(scene.subject(case.about))
    assert entries() == [(case.verb, about, by, AT, "", case.facts)]


@every_act
def test_act_on_a_plan_tells_exactly_these_people(case, scene, crew, coordinator, leader):
    case.do(scene, coordinator if Role.COORDINATOR in case.roles else leader, AT)
    assert letters() == case.letters


@every_act
def test_act_on_a_plan_spares_every_other_row(case, scene, by):
    before = scene.bystanders(case.about)
    case.do(scene, by, AT)
    assert scene.bystanders(case.about) == before


@every_act
def test_act_on_a_plan_leaves_nothing_without_its_entry(case, scene, by):
    before = rows()
    with refused(TRAIL):
        case.do(scene, by, AT)
    assert rows() == before


@pytest.mark.parametrize("case", [case for case in CASES if case.letters], ids=str)
def test_act_on_a_plan_leaves_nothing_without_its_letter(case, scene, by, crew):
    before = rows()
    with refused(LETTERS):
        case.do(scene, by, AT)
    assert rows() == before


# --- Who may, and when -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", list(Role))
@every_act
def test_act_on_a_plan_is_refused_to_every_other_role(case, role, scene, officer):
    who = officer(role, "水处", area="定海区")
    before = rows()
    if role in case.roles:
        case.do(scene, who, AT)
        assert rows() != before
        return
    with pytest.raises(NotAllowed):
        case.do(scene, who, AT)
    assert rows() == before


EDITABLE, BEFORE_THE_LEADER = {Plan.DRAFT, Plan.RETURNED}, {Plan.SUBMITTED}
OPEN_TO = {
    "edit": EDITABLE,
    "change": {Plan.PUBLISHED},
    "submit": EDITABLE,
    "approve": BEFORE_THE_LEADER,
    "send_back": BEFORE_THE_LEADER,
    "cancel": set(Plan) - {Plan.CANCELLED},
    "copy_last": EDITABLE,
}
BECOMES = {
    "submit": Plan.SUBMITTED,
    "approve": Plan.PUBLISHED,
    "send_back": Plan.RETURNED,
    "cancel": Plan.CANCELLED,
}


@pytest.mark.parametrize("plan", list(Plan))
@pytest.mark.parametrize("case", [CASES_BY_NAME[n] for n in OPEN_TO], ids=str)
def test_act_on_a_plan_takes_only_from_its_own_states(case, plan, scene, by):
    ConsultDay.objects.filter(pk=scene.day.pk).update(plan=plan)
    scene.day.refresh_from_db()
    before = rows()
    if plan in OPEN_TO[case.name]:
        case.do(scene, by, AT)
        scene.day.refresh_from_db()
        assert scene.day.plan == BECOMES.get(case.name, plan)
        return
    with pytest.raises(planning.PlanStateChanged):
        case.do(scene, by, AT)
    assert rows() == before


@pytest.mark.parametrize("case", [CASES_BY_NAME[n] for n in BECOMES if n != "cancel"], ids=str)
def test_decision_on_another_wording_than_the_read_one_is_refused(case, scene, by):
    ConsultDay.objects.filter(pk=scene.day.pk).update(version=2)
    before = rows()
    with pytest.raises(planning.PlanStateChanged):
        case.do(scene, by, AT)
    assert rows() == before


@pytest.mark.parametrize("case", [CASES_BY_NAME[n] for n in BECOMES if n != "cancel"], ids=str)
def test_decision_that_another_officer_has_taken_meanwhile_is_refused(case, scene, by):
    # The caller has read the plan before.
    ConsultDay.objects.filter(pk=scene.day.pk).update(plan=Plan.CANCELLED)
    before = rows()
    with pytest.raises(planning.PlanStateChanged):
        case.do(scene, by, AT)
    assert rows() == before


ENDS = calendar.ends_at(DAY)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        ("edit", planning.DayOver),
        ("submit", planning.DayOver),
        ("approve", planning.DayOver),
        ("send_back", planning.DayOver),
        ("change", planning.DayOver),
        ("cancel", planning.DayOver),
        ("confirm", receiving.DayPast),
        ("decline", receiving.DayPast),
    ],
)
def test_act_on_a_plan_ends_with_the_day(act, refusal, officer):
    case = CASES_BY_NAME[act]
    scene, who = Scene(case.plan), officer(min(case.roles))
    before = rows()
    with pytest.raises(refusal):
        case.do(scene, who, ENDS)
    assert rows() == before
    case.do(scene, who, ENDS - TICK)
    assert rows() != before


# --- The wording -----------------------------------------------------------------------------------------------------
@pytest.fixture
def published():
    return Scene(Plan.PUBLISHED)


@pytest.fixture
def draft():
    return Scene(Plan.DRAFT)


def wording(day) -> dict:
    return ConsultDay.objects.filter(pk=day.pk).values(*TEXTS).get()


def test_edit_saves_all_texts_and_counts_the_wording_up(draft, coordinator):
    write(draft, coordinator, AT)
    assert wording(draft.day) == OTHER
    assert (draft.day.version, draft.day.place) == (2, "五楼会议室")  # the caller's plan is the saved one
    assert [person.name for person in draft.day.receptions.all()] == ["新人"]


@pytest.mark.parametrize("text", list(TEXTS))
def test_edit_of_one_text_alone_is_saved(draft, coordinator, text):
    texts = TEXTS | {text: "别的"}
    planning.edit(draft.day, draft.receivers(), version=1, by=coordinator, at=AT, **texts)
    assert wording(draft.day) == texts


def test_edit_that_says_what_is_saved_already_is_not_saved_twice(draft, coordinator):
    before = rows()
    planning.edit(draft.day, draft.receivers(), version=0, by=coordinator, at=AT, **TEXTS)
    assert rows() == before


def test_edit_of_the_receptions_alone_is_saved(draft, coordinator):
    planning.edit(draft.day, draft.receivers()[::-1], version=1, by=coordinator, at=AT, **TEXTS)
    assert [person.name for person in draft.day.receptions.all()] == ["王海", "李江"]
    assert draft.day.version == 2


def test_edit_from_an_older_wording_names_the_officer_who_saved_last(draft, coordinator, officer):
    write(draft, coordinator, AT)
    planning.edit(draft.day, [], version=2, by=officer(Role.COORDINATOR, name="别人"), at=AT, **OTHER)
    planning.submit(draft.day, by=officer(Role.COORDINATOR, name="送审的人"), at=AT)
    ConsultDay.objects.filter(pk=draft.day.pk).update(plan=Plan.RETURNED)
    other = ConsultDay.objects.get(date=AFTER)
    planning.edit(other, [], version=1, by=coordinator, at=AT, **OTHER)
    before = rows()
    with pytest.raises(planning.EditedMeanwhile, match="别人保存了另一份"):
        write(draft, coordinator, AT, TEXTS)
    assert rows() == before


def test_edit_from_an_older_wording_names_the_officer_who_copied_the_last_plan(draft, coordinator, officer):
    ConsultDay.objects.filter(date=BEFORE).update(plan=Plan.PUBLISHED)
    ConsultDay.objects.filter(date=DAY).update(note="")
    draft.day.refresh_from_db()
    preparing.copy_last(draft.day, by=officer(Role.COORDINATOR, name="照抄的人"), at=AT)
    with pytest.raises(planning.EditedMeanwhile, match="照抄的人保存了另一份"):
        write(draft, coordinator, AT)


def test_edit_from_an_older_wording_that_the_system_filled_says_so(draft, coordinator):
    ConsultDay.objects.filter(date=BEFORE).update(plan=Plan.PUBLISHED)
    Reception.objects.filter(day__date=AFTER).delete()
    blank = ConsultDay.objects.filter(date=AFTER)
    blank.update(**dict.fromkeys(TEXTS, ""))
    month_before = calendar.local_datetime(date(2026, 12, 15))
    assert preparing.PREPARE.run("", month_before, month_before) == 1
    with pytest.raises(planning.EditedMeanwhile, match="期间，系统保存了另一份"):
        planning.edit(blank.get(), [], version=1, by=coordinator, at=AT, **OTHER)


def test_edit_from_an_older_wording_of_which_nothing_is_known_names_the_system(draft, coordinator):
    ConsultDay.objects.filter(date=DAY).update(version=2)
    with pytest.raises(planning.EditedMeanwhile, match="期间，系统保存了另一份"):
        write(draft, coordinator, AT)


def test_receptions_kept_on_the_list_keep_their_answers(published, coordinator):
    water, air = Division.objects.get(name="水处"), Division.objects.get(name="大气处")
    Reception.objects.filter(day=published.day, name="王海").update(confirmed_at=AT)
    Reception.objects.filter(day=published.day, name="李江").update(declined="出差")
    listed = [
        Reception(name="李江", title="处长", division=air),  # another division: another person
        Reception(name="王海", title="处长", division=water),
        Reception(name="陈岛", title="主任"),
    ]
    planning.change(published.day, listed, "调整", version=1, by=coordinator, at=AT, **TEXTS)
    found = [(p.name, p.order, p.confirmed_at, p.declined) for p in published.day.receptions.all()]
    assert found == [("李江", 0, None, ""), ("王海", 1, AT, ""), ("陈岛", 2, None, "")]


# --- What the portal says of a change --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"place": "五楼"}, "服务地点由“三楼会议室”改为“五楼”"),
        ({"partners": ""}, "联动单位删去“市水务局”"),
        ({"theme": "一", "place": "二"}, "服务主题由“雨污分流”改为“一”；服务地点由“三楼会议室”改为“二”"),
        ({"note": "短"}, "说明已修改"),
        ({"partners": "长" * 116}, f"联动单位由“市水务局”改为“{'长' * 116}”"),
        ({"partners": "长" * 117}, "联动单位已修改"),
    ],
)
def test_change_says_old_and_new_of_each_text(published, coordinator, texts, said):
    made = planning.change(
        published.day, published.receivers(), "原因", version=1, by=coordinator, at=AT, **(TEXTS | texts)
    )
    assert PlanChange.objects.get() == made
    assert (made.day, made.what, made.reason, made.by, made.at) == (
        published.day,
        said,
        "原因",
        coordinator,
        AT,
    )


def test_change_is_seen_on_the_plan_that_was_given(published, coordinator):
    amend(published, coordinator, AT)
    assert (published.day.version, published.day.place) == (2, OTHER["place"])
    assert wording(published.day) == OTHER


def test_change_says_what_is_added_to_an_empty_text(published, coordinator):
    ConsultDay.objects.filter(pk=published.day.pk).update(partners="")
    published.day.refresh_from_db()
    made = planning.change(
        published.day, published.receivers(), "原因", version=1, by=coordinator, at=AT, **TEXTS
    )
    assert made.what == "联动单位增加“市水务局”"


def test_change_of_texts_and_receptions_says_both(published, coordinator):
    made = planning.change(
        published.day, [], "原因", version=1, by=coordinator, at=AT, **(TEXTS | {"place": "二"})
    )
    assert made.what == "服务地点由“三楼会议室”改为“二”；接待人员已调整"


def test_change_of_nothing_is_refused(published, coordinator):
    before = rows()
    with pytest.raises(planning.NothingChanged):
        amend(published, coordinator, AT, TEXTS)
    assert rows() == before


def test_change_sent_twice_by_the_same_officer_is_one(published, coordinator):
    amend(published, coordinator, AT)
    before = rows()
    assert planning.change(published.day, published.receivers(), "三楼停电", version=1, by=coordinator, at=AT,
                           **OTHER) is None  # fmt: skip
    assert rows() == before


@pytest.mark.parametrize("differs", ["reason", "officer", "day"])
def test_change_of_nothing_by_another_click_is_refused(published, coordinator, officer, differs):
    amend(published, coordinator, AT)
    who = officer(Role.COORDINATOR) if differs == "officer" else coordinator
    day = published.day
    if differs == "day":  # another day's last change is no sign of a second click on this one
        day = ConsultDay.objects.get(date=AFTER)
        ConsultDay.objects.filter(pk=day.pk).update(**OTHER)
    people, reason = Reception.objects.filter(day=day), "别的原因" if differs == "reason" else "三楼停电"
    with pytest.raises(planning.NothingChanged):
        planning.change(day, list(people), reason, version=1, by=who, at=AT, **OTHER)


def test_change_sent_twice_is_told_by_the_latest_change(published, coordinator):
    amend(published, coordinator, AT)
    planning.change(published.day, [], "第二次", version=2, by=coordinator, at=AT + TICK, **OTHER)
    with pytest.raises(planning.NothingChanged):
        planning.change(published.day, [], "三楼停电", version=2, by=coordinator, at=AT + TICK, **OTHER)


# --- The decision ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("missing", ["theme", "place"])
def test_plan_without_theme_or_place_is_not_submitted(draft, coordinator, missing):
    ConsultDay.objects.filter(pk=draft.day.pk).update(**{missing: ""})
    draft.day.refresh_from_db()
    with pytest.raises(ValidationError) as refusal:
        planning.submit(draft.day, by=coordinator, at=AT)
    assert refusal.value.message_dict == {missing: ["送审前请填写。"]}
    assert ConsultDay.objects.get(pk=draft.day.pk).plan == Plan.DRAFT


def test_approval_publishes_now_and_clears_the_remark(leader):
    scene = Scene(Plan.SUBMITTED)
    ConsultDay.objects.filter(pk=scene.day.pk).update(remark="再改")
    planning.approve(scene.day, by=leader, at=AT)
    assert (scene.day.plan, scene.day.remark, scene.day.published_at) == (Plan.PUBLISHED, "", AT)


def test_plan_sent_back_keeps_the_remark(leader):
    scene = Scene(Plan.SUBMITTED)
    planning.send_back(scene.day, "请补充联动单位", by=leader, at=AT)
    assert (scene.day.plan, scene.day.remark, scene.day.published_at) == (
        Plan.RETURNED,
        "请补充联动单位",
        None,
    )


def test_day_is_cancelled_once_for_one_reason(published, leader):
    assert planning.cancel(published.day, "台风", by=leader, at=AT) is True
    assert (published.day.plan, published.day.remark) == (Plan.CANCELLED, "台风")
    before = rows()
    assert planning.cancel(published.day, "台风", by=leader, at=AT) is False
    with pytest.raises(planning.PlanStateChanged):
        planning.cancel(published.day, "别的原因", by=leader, at=AT)
    assert rows() == before


def test_day_can_be_cancelled_after_any_wording_was_read(published, leader):
    ConsultDay.objects.filter(pk=published.day.pk).update(version=7)
    assert planning.cancel(published.day, "台风", by=leader, at=AT)


def test_day_can_be_cancelled_with_the_text_of_an_earlier_remark(leader):
    scene = Scene(Plan.RETURNED)
    ConsultDay.objects.filter(pk=scene.day.pk).update(remark="台风")
    assert planning.cancel(scene.day, "台风", by=leader, at=AT)

"""No button that always refuses its reader, and no link that leads nowhere: every role walks through admin and desk."""

from datetime import date, datetime

import pytest

from appointments.lifecycle import Stage
from appointments.models import Publicity
from sessions_app.days import day_on
from sessions_app.models import ConsultDay, Plan, Reception
from triage.tests import scenes
from triage.tests.scenes import EARLIER, FAR, NOW, SECOND, People, Scene
from triage.tests.walk import Walk, buttons
from zhoushan_consult.bureau.models import Area, Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties.models import Duty, Heartbeat
from zhoushan_consult.outbox.models import Channel, Notice, State

pytestmark = pytest.mark.django_db
ON_THE_DAY = datetime(2026, 12, 10, 9, 30, tzinfo=SHANGHAI)

STANDING = [
    scenes.declined,
    scenes.given,
    scenes.given_back,
    scenes.drafted,
    scenes.before_the_head,
    scenes.answered,
    scenes.corrected,
    scenes.correction_before_the_head,
    scenes.deferred,
    scenes.offered,
    scenes.confirmed,
    scenes.at_stage(Stage.ANSWERED),
    scenes.at_stage(Stage.HEARD),
    scenes.absent_and_answered,
    scenes.at_stage(Stage.WITHDRAWN),
    scenes.followed,
    scenes.answer_drafted,
    scenes.answer_published,
]
"""A registration, a 交办, a reply, a public answer in every state in which something can be done about it."""


def furnish(people: People) -> None:
    """Everything at once: what stands on the day, what came before and after it, and what went wrong."""
    for number, scene in enumerate(STANDING, 1):
        scene(Scene(people, number))
    # On another day: before all is reviewed, no list is settled.
    scenes.registered(Scene(people, 29, FAR))
    drafts_of_the_head(Scene(people, 30))
    answers_of(people)
    plans()
    letters_and_duties(people)


def drafts_of_the_head(s: Scene) -> None:
    """The only head of 水处 wrote a draft: a colleague must send it up."""
    scenes.drafted(s)
    type(s.reply).objects.filter(pk=s.reply.pk).update(drafted_by=s.people.of(Role.HEAD))


def answers_of(people: People) -> None:
    """Drafts by each who may publish: a draft must not be offered to its own author."""
    for number, role in enumerate((Role.COORDINATOR, Role.LEADER), 40):
        for remark in ("", "请补充依据"):
            scenes.answer(Scene(people, number), Publicity.DRAFT, drafted_by=people.of(role), remark=remark)


def plans() -> None:
    """A plan in every state, for days ahead and for days that are over."""
    months = {
        date(2026, 9, 10): Plan.SUBMITTED,
        date(2026, 10, 10): Plan.DRAFT,
        date(2026, 11, 10): Plan.PUBLISHED,
        date(2027, 2, 10): Plan.DRAFT,
        date(2027, 4, 10): Plan.SUBMITTED,
        date(2027, 5, 10): Plan.RETURNED,
        date(2027, 6, 10): Plan.CANCELLED,
    }
    for day, plan in months.items():
        texts = {} if plan == Plan.DRAFT else {"theme": "雨污分流", "place": "三楼会议室"}
        ConsultDay.objects.filter(pk=day_on(day).pk).update(plan=plan, **texts)
    Reception.objects.create(day=day_on(scenes.DAY), name="王海", title="副局长")


def letters_and_duties(people: People) -> None:
    firm = Scene(people, 50).book(stage=Stage.ACCEPTED)
    for channel, state in (
        (Channel.SMS, State.FAILED),
        (Channel.EMAIL, State.FAILED),
        (Channel.SMS, State.RETRY),
        (Channel.CALL, State.WAITING),
        (Channel.SMS, State.SENT),
    ):
        Notice.objects.create(
            kind="booking_received",
            channel=channel,
            about_kind=firm._meta.label_lower,
            about_id=str(firm.pk),
            dedupe_key=f"{channel}{state}",
            to_name="测试人",
            to="+8613800000001",
            body="请查看。",
            state=state,
            created_at=EARLIER,
            due_at=EARLIER,
        )
    for state in ("missed", "failed", "done"):
        Duty.objects.create(kind="cutoff", about=state, due_at=EARLIER, state=state)


@pytest.fixture
def people():
    made = scenes.world()
    Officer.objects.update(is_staff=True)
    Officer.objects.create_superuser("technician", "technician@example.com", "Correct-horse-7", name="技术员")
    Officer.objects.filter(groups__name=Role.COUNTY).update(area=Area.objects.get(name="定海区"))
    furnish(made)
    return made


CASES = [
    *[(Role.COORDINATOR, now) for now in (NOW, SECOND, ON_THE_DAY)],
    *[(Role.LEADER, now) for now in (NOW, ON_THE_DAY)],
    *[(role, SECOND) for role in (Role.HANDLER, Role.HEAD, Role.WATCH, Role.SYSTEM, Role.COUNTY)],
]


@pytest.mark.parametrize(("role", "now"), CASES, ids=[f"{role.name}-{now:%m%d}" for role, now in CASES])
def test_every_button_and_link_that_is_shown_works(role, now, people, signed_in, time_machine):
    time_machine.move_to(now, tick=False)
    Heartbeat.objects.create(at=now)
    if now == ON_THE_DAY:
        ConsultDay.objects.filter(date=scenes.DAY).update(settled_at=SECOND)
    walk = Walk(signed_in(people.of(role)))
    refused = []
    for here, page in walk.pages():
        for button in buttons(page, here):
            result = walk.press(button)
            if not result.is_done:
                refused.append(f"{button}: {result.status} {result.refusals}")
    assert refused == []
    assert walk.broken == []

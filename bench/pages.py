"""What a firm opens and sends, beside a bare Django view (the design, 13)."""

from datetime import timedelta
from functools import partial
from urllib.parse import quote

from django.utils import timezone

from appointments.models import Publicity, PublishedAnswer
from sessions_app import calendar
from sessions_app.days import day_on
from sessions_app.models import Plan
from triage.tests.factories import division, officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.web.throttle import allow
from zhoushan_consult.wsgi import application

from .baseline import floor
from .client import Request, ask, filled_in
from .environment import Ground
from .figures import Figure, Table, beside
from .texts import questions
from .timing import in_turns, python_calls, statements

TIMES = 100  # each is asked for
ANSWERS = 300  # public ones: years of them
FLOOR, ROW = "one bare Django view", "one row committed"
FORM, SUBMIT = "GET /register/, blank", "POST /register/, submitted"
OPENED = {
    "GET /": Request("/"),
    FORM: Request("/register/"),
    "GET /status/": Request("/status/"),
    "GET /answers/?q=…": Request(f"/answers/?q={quote('废油漆桶怎么处置')}"),
}


def measure(ground: Ground) -> Table:
    ground.make("portal")
    _publish()
    bare = floor()
    deeds = {FLOOR: lambda form: ask(bare, Request("/"))}
    deeds |= {name: lambda form, page=page: ask(application, page) for name, page in OPENED.items()}
    deeds |= {ROW: lambda form: _count(), SUBMIT: lambda form: ask(application, form, status=302)}
    medians = in_turns(deeds, [filled_in(application, number) for number in range(TIMES + 1)])
    figures = (*beside(FLOOR, medians), *_of_opening(), *_of_submitting())
    return Table(f"Pages: medians of {TIMES}, and their ratio to {FLOOR}", figures)


def _count() -> None:
    """The least that can be written: tells how much of a submitted form is the database's disk."""
    allow("bench", TIMES, timedelta(days=1), timezone.now())


def _of_opening() -> list[Figure]:
    """What can be counted of pages that were opened before."""
    sent = {name: statements(partial(ask, application, page)).in_all for name, page in OPENED.items()}
    figures = [
        Figure(name, count, "SQL", at_most=0 if name == FORM else None) for name, count in sent.items()
    ]
    calls = python_calls(partial(ask, application, OPENED[FORM]))
    return [*figures, Figure(FORM, calls, "Python calls", at_most=3000)]


def _of_submitting() -> list[Figure]:
    form = filled_in(application, TIMES + 1)
    sent = statements(partial(ask, application, form, status=302))
    return [
        Figure(SUBMIT, sent.in_all, "SQL"),
        Figure(f"{SUBMIT}: in its transaction", sent.in_transaction, "SQL", at_most=8),
    ]


def _publish() -> None:
    """The plan of the coming 咨询日, and a shelf of public answers."""
    now = timezone.now()
    day = day_on(calendar.current_day(now))
    day.theme, day.place, day.plan, day.published_at = "涉海污染防治", "舟山市生态环境局", Plan.PUBLISHED, now
    day.save()
    drafter, approver = officer(Role.COORDINATOR, "综合处"), officer(Role.LEADER)
    PublishedAnswer.objects.bulk_create(
        PublishedAnswer(
            question=question,
            answer="请对照行业规范自查，备齐环评批复、工艺说明和近三个月的运行记录。",
            law="《中华人民共和国环境保护法》",
            division=division("综合处"),
            topic="other",
            state=Publicity.PUBLISHED,
            drafted_by=drafter,
            approved_by=approver,
            published_at=now,
            changed_at=now,
        )
        for question in questions(ANSWERS)
    )

"""The pages that a firm opens and sends, compared with a bare Django view (the design, 13)."""

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

from .baseline import baseline_site
from .client import Request, filled_form, send
from .environment import BenchEnvironment
from .figures import Figure, Table, with_ratios
from .texts import questions
from .timing import count_python_calls, count_statements, interleaved_medians

# How often each page is requested.
TIMES = 100
# Public answers: those of some years.
ANSWERS = 300
BASELINE, ROW = "one bare Django view", "one row committed"
FORM, SUBMIT = "GET /register/, blank", "POST /register/, submitted"
OPENED = {
    "GET /": Request("/"),
    FORM: Request("/register/"),
    "GET /status/": Request("/status/"),
    "GET /answers/?q=…": Request(f"/answers/?q={quote('废油漆桶怎么处置')}"),
}


def measure(environment: BenchEnvironment) -> Table:
    environment.create_database("portal")
    _publish()
    bare_site = baseline_site()
    tasks = {BASELINE: lambda form: send(bare_site, Request("/"))}
    tasks |= {name: lambda form, page=page: send(application, page) for name, page in OPENED.items()}
    tasks |= {ROW: lambda form: _count(), SUBMIT: lambda form: send(application, form, status=302)}
    medians = interleaved_medians(tasks, [filled_form(application, number) for number in range(TIMES + 1)])
    figures = (*with_ratios(BASELINE, medians), *_figures_of_get(), *_figures_of_post())
    return Table(f"Pages: medians of {TIMES}, and their ratio to {BASELINE}", figures)


def _count() -> None:
    """The smallest write. It shows how much of a submitted form is the commit to the disk."""
    allow("bench", TIMES, timedelta(days=1), timezone.now())


def _figures_of_get() -> list[Figure]:
    """SQL statements and Python calls of pages that are warm."""
    sent = {name: count_statements(partial(send, application, page)).in_all for name, page in OPENED.items()}
    figures = [
        Figure(name, count, "SQL", at_most=0 if name == FORM else None) for name, count in sent.items()
    ]
    calls = count_python_calls(partial(send, application, OPENED[FORM]))
    return [*figures, Figure(FORM, calls, "Python calls", at_most=3000)]


def _figures_of_post() -> list[Figure]:
    form = filled_form(application, TIMES + 1)
    sent = count_statements(partial(send, application, form, status=302))
    return [
        Figure(SUBMIT, sent.in_all, "SQL"),
        Figure(f"{SUBMIT}: in its transaction", sent.in_transaction, "SQL", at_most=8),
    ]


def _publish() -> None:
    """The plan of the next 咨询日, and public answers."""
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

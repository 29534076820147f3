"""What waits for a second pair of eyes, or came back from it: plans before 局领导 (六（一）), public answers before a second
officer (五（二）). The home pages of admin and desk show the same lists.
"""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.text import Truncator

from appointments import answers
from appointments.models import PublishedAnswer
from sessions_app import calendar
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.bureau.worklist import Row, WorkList
from zhoushan_consult.clock import SHANGHAI

from . import worklists

ALL_DRAFTS = "?state__exact=draft"


def approvals(officer: Officer, now: datetime) -> Iterator[WorkList]:
    """The lists of an officer: only for the acts that they may do."""
    if officer.may(Act.APPROVE_PLAN):
        yield _plans(now)
    if officer.may(Act.PUBLISH):
        yield from _answers(officer)


def _plans(now: datetime) -> WorkList:
    preview = worklists.preview(worklists.plans_to_approve(now))
    rows = [
        Row(
            title=f"{calendar.short(day.date)}活动方案",
            url=reverse("admin:sessions_app_consultday_change", args=[day.pk]),
            detail=f"{day.theme}　{day.place}",
            age="待审核",
        )
        for day in preview.rows
    ]
    empty = "没有待审核的方案。综合处送审后会出现在这里。"
    return WorkList("approve", "待审核方案", rows, preview.count, empty)


def _answers(officer: Officer) -> Iterator[WorkList]:
    drafts = answers.drafts_for(officer)
    yield WorkList(
        "check_answers",
        "待审核的公开答复",
        [
            _row(draft, f"{draft.drafted_by.name}拟稿", f"{_day(draft)}拟")
            for draft in _first(drafts.to_check)
        ],
        len(drafts.to_check),
        "没有待您审核的公开答复。别的同志拟好的会出现在这里。",
        _all_drafts(),
    )
    yield WorkList(
        "answers_back",
        "退回修改的公开答复",
        [
            _row(draft, f"退回意见：{draft.remark}", f"{_day(draft)}退回")
            for draft in _first(drafts.sent_back)
        ],
        len(drafts.sent_back),
        "没有退回给您的公开答复。您拟的稿子被退回时，会连同意见出现在这里。",
        _all_drafts(),
    )


def _first(drafts: list[PublishedAnswer]) -> list[PublishedAnswer]:
    return drafts[: worklists.PREVIEW_ROWS]


def _day(draft: PublishedAnswer) -> str:
    return f"{draft.changed_at.astimezone(SHANGHAI):%-m月%-d日}"


def _row(draft: PublishedAnswer, detail: str, age: str) -> Row:
    return Row(
        title=Truncator(draft.question).chars(40),
        url=reverse("admin:appointments_publishedanswer_change", args=[draft.pk]),
        lead=draft.division.name,
        detail=Truncator(detail).chars(48),
        age=age,
    )


def _all_drafts() -> str:
    return reverse("admin:appointments_publishedanswer_changelist") + ALL_DRAFTS

"""待办: the work lists on the home page of the admin, for 综合处 and for 局领导."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.text import Truncator

from appointments.models import Appointment
from sessions_app import calendar, planning, policy
from sessions_app.models import ConsultDay, Plan, Seat
from triage import limbo, worklists
from triage.approvals import approvals
from triage.models import Assignment, FollowUp, Reply, ReplyKind
from triage.routing.decision import Decision
from triage.rulebook.explanation import division_names
from triage.rulebook.routing_traces import current_traces
from triage.worklists import CallToMake
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.bureau.worklist import Row, WorkList
from zhoushan_consult.clock import SHANGHAI, local_date
from zhoushan_consult.outbox.calls import not_needed

# A registration that has waited for 初审 for more days than this is marked as late.
LONG_WAIT_DAYS = 3
# An offer leaves within seconds by day. After this time a person should telephone.
OFFER_OVERDUE = timedelta(hours=2)


def worklists_of(officer: Officer, now: datetime) -> list[WorkList]:
    """The work lists of an officer: only for the acts that they may do."""
    return list(_worklists(officer, now))


def _worklists(officer: Officer, now: datetime) -> Iterator[WorkList]:
    today = local_date(now)
    # One query for the coming 咨询日: two of the lists below read them.
    days = worklists.days_ahead(now) if officer.may(Act.PLAN) or officer.may(Act.RUN_DAY) else []
    # First: a place waits, and the firm does not know of it.
    if officer.may(Act.SETTLE):
        yield _undelivered(now)
    if officer.may(Act.REVIEW):
        yield _to_review(today, now)
        yield _returned(today)
        yield _supplements(today)
        yield _objections(today)
    if officer.may(Act.SETTLE):
        yield _to_settle(now)
    if officer.may(Act.PLAN):
        yield _to_plan(days, now)
    yield from approvals(officer, now)
    if officer.may(Act.CALL):
        yield _to_call(now)
        yield _unreachable()
    if officer.may(Act.READ_ALL):
        yield _overdue_replies(today)
        yield _overdue_follow_ups(today)
        yield _in_limbo(now)
    if officer.may(Act.RUN_DAY):
        yield from _to_run(days, today)
        yield _to_conclude(now)


def _to_review(today: date, now: datetime) -> WorkList:
    preview = worklists.preview(worklists.to_review())
    traces = current_traces(preview.rows, now)
    rows = [_review_row(each, traces[each.pk].to_decision(), today) for each in preview.rows]
    empty = "没有待初审的登记。企业在网上登记后，会按提交先后出现在这里。"
    more = f"{reverse('admin:appointments_appointment_changelist')}?stage=submitted&day=all"
    return WorkList("review", "待初审", rows, preview.count, empty, more)


def _review_row(appointment: Appointment, decision: Decision, today: date) -> Row:
    waited = (today - local_date(appointment.submitted_at)).days
    return Row(
        title=appointment.enterprise_name,
        url=_registration_url(appointment.pk),
        lead=f"建议{division_names(decision)}",
        detail=Truncator(appointment.summary).chars(48),
        age=_waited(appointment.submitted_at, today),
        late=waited > LONG_WAIT_DAYS,
    )


def _returned(today: date) -> WorkList:
    preview = worklists.preview(worklists.returned())
    rows = [
        Row(
            title=assignment.appointment.enterprise_name,
            url=_registration_url(assignment.appointment_id, "reassign"),
            lead=f"{assignment.division}退回",
            detail=Truncator(assignment.return_reason).chars(48),
            age=_deadline(assignment.due_on, today),
            late=assignment.due_on < today,
        )
        for assignment in preview.rows
    ]
    return WorkList(
        "returned",
        "被退回的交办",
        rows,
        preview.count,
        "没有被退回的交办。处室退回的事项会连同理由出现在这里。",
    )


def _supplements(today: date) -> WorkList:
    preview = worklists.preview(worklists.supplements_to_assign())
    rows = [
        Row(
            title=supplement.appointment.enterprise_name,
            url=_registration_url(supplement.appointment_id, "supplement"),
            detail=Truncator(supplement.text).chars(48),
            age=_waited(supplement.at, today),
        )
        for supplement in preview.rows
    ]
    empty = "没有待交办的补充问题。企业通过初审后补充的问题会出现在这里。"
    return WorkList("supplements", "待交办的补充问题", rows, preview.count, empty)


def _objections(today: date) -> WorkList:
    preview = worklists.preview(worklists.objections_to_decide())
    rows = [
        Row(
            title=objection.appointment.enterprise_name,
            url=_registration_url(objection.appointment_id, "objection"),
            detail="有人提出这份登记不是本企业提交的，请核实",
            age=_waited(objection.at, today),
            late=True,
        )
        for objection in preview.rows
    ]
    empty = "没有待核实的登记异议。企业提出名下登记不是自己提交的，会出现在这里。"
    return WorkList("objections", "待核实的登记异议", rows, preview.count, empty)


def _waited(since: datetime, today: date) -> str:
    days = (today - local_date(since)).days
    return f"已等 {days} 天" if days else "今天提交"


def _to_settle(now: datetime) -> WorkList:
    rows = [_settle_row(day, now) for day in worklists.to_settle(now)]
    empty = "没有待确定的名单。每月1日起，当月10日的现场名单在这里确定。"
    return WorkList("settle", "待确定名单", rows, len(rows), empty)


def _settle_row(day: ConsultDay, now: datetime) -> Row:
    last = day.date.replace(day=policy.SETTLE_BY)
    detail = f"通过初审、要求现场的 {day.wanting} 家，名额 {policy.SEATS} 个"
    pending = f"；还有 {day.pending} 条待初审" if day.pending else ""
    return Row(
        title=calendar.short(day.date),
        url=_day_url(day),
        detail=detail + pending,
        age=f"{last.month}月{last.day}日前确定",
        late=local_date(now) > last,
    )


def _undelivered(now: datetime) -> WorkList:
    preview = worklists.preview(worklists.undelivered_offers(now))
    rows = [
        Row(
            title=firm.enterprise_name,
            url=_registration_url(firm.pk, "notified"),
            lead=f"{firm.seat}",
            detail=f"{calendar.short(firm.day.date)}，没有送达之前，确认期限不开始计算",
            age=f"{firm.seat.offered_at.astimezone(SHANGHAI):%-m月%-d日 %-H:%M}发出",
            late=now - firm.seat.offered_at > OFFER_OVERDUE,
        )
        for firm in preview.rows
    ]
    empty = "没有还未送达的名额通知。短信没有送出、要打电话的会出现在这里。"
    return WorkList("undelivered", "名额通知未送达", rows, preview.count, empty)


def _to_plan(days: list[ConsultDay], now: datetime) -> WorkList:
    known = {day.date: day for day in days}
    sent_back = {day.date for day in days if day.plan == Plan.RETURNED and planning.is_ahead(day, now)}
    rows = [
        _plan_row(date_, known.get(date_), now)
        for date_ in sorted(_plans_wanted(now) | sent_back)
        if _needs_a_plan(known.get(date_))
    ]
    empty = "没有待拟的方案。每月20日起，下月的活动方案在这里拟订和送审；退回修改的也在这里。"
    return WorkList("plan", "待拟方案", rows, len(rows), empty)


def _plans_wanted(now: datetime) -> set[date]:
    """The dates whose plan is due: the next 咨询日, and from the 20th on also that of the next month."""
    late_in_month = now.astimezone(SHANGHAI).day >= policy.PLAN_WANTED_FROM
    return {calendar.current_day(now)} | ({calendar.booking_day(now)} if late_in_month else set())


def _needs_a_plan(day: ConsultDay | None) -> bool:
    return day is None or day.plan in {Plan.DRAFT, Plan.RETURNED}


def _plan_row(date_: date, day: ConsultDay | None, now: datetime) -> Row:
    missing = [
        label
        for label, text in (("服务主题", day and day.theme), ("服务地点", day and day.place))
        if not text
    ]
    detail = (
        f"退回意见：{day.remark}"
        if day and day.remark
        else f"还缺{'、'.join(missing)}"
        if missing
        else "已拟好，可以送审"
    )
    left = (date_ - local_date(now)).days
    return Row(
        title=f"{calendar.short(date_)}活动方案",
        url=_day_url(day) if day else reverse("admin:sessions_app_consultday_add"),
        detail=detail,
        age=f"还有 {left} 天",
        late=now >= calendar.booking_closes(date_),
    )


def _to_call(now: datetime) -> WorkList:
    to_make = worklists.to_call(now)
    shown = to_make[: worklists.PREVIEW_ROWS]
    doubtful = worklists.undelivered_numbers(shown)
    untrue = not_needed([letter for call in shown for letter in call.letters], now)
    rows = [_call_row(call, untrue, doubtful) for call in shown]
    empty = "没有要打的电话。没有手机号码、或短信没有送达的企业会出现在这里。"
    return WorkList("call", "待电话联系", rows, len(to_make), empty)


def _call_row(call: CallToMake, untrue: dict[int, str], doubtful: set[str]) -> Row:
    true = [letter for letter in call.letters if letter.pk not in untrue]
    if not true:
        return Row(_called(call), _call_url(call, ""), untrue[call.letters[0].pk], lead="不用再打")
    titles = dict.fromkeys(letter.subject for letter in true)
    is_doubtful = call.firm and call.letters[0].to_index in doubtful
    return Row(
        title=_called(call),
        url=_call_url(call),
        detail="、".join(titles),
        lead=f"{len(true)} 条通知",
        age=f"已打 {call.tried} 次" if call.tried else "",
        also="短信没有送达，更正联系方式" if is_doubtful else "",
        also_url=_registration_url(call.firm.pk, "contact") if is_doubtful else "",
    )


def _called(call: CallToMake) -> str:
    return call.firm.enterprise_name if call.firm else call.letters[0].to_name


def _call_url(call: CallToMake, panel: str = "notified") -> str:
    # A letter about something else, such as a 咨询日, is recorded on its own page.
    if call.firm:
        return _registration_url(call.letters[0].about_id, panel)
    return reverse("admin:outbox_notice_change", args=[call.letters[0].pk])


def _unreachable() -> WorkList:
    preview = worklists.preview(worklists.unreachable())
    rows = [
        Row(
            title=firm.enterprise_name,
            url=_registration_url(firm.pk, "contact"),
            detail="找到正确的号码后更正，通知会补发",
            lead=f"{firm.masked_phone} 号码有误",
            late=True,
        )
        for firm in preview.rows
    ]
    empty = "没有联系不上的企业。电话打过、号码有误的会出现在这里，直到更正联系方式。"
    return WorkList("unreachable", "联系不上的企业", rows, preview.count, empty)


def _overdue_replies(today: date) -> WorkList:
    preview = worklists.preview(worklists.overdue_replies(today))
    rows = [_late_reply_row(assignment, today) for assignment in preview.rows]
    return WorkList(
        "late_replies",
        "逾期交办",
        rows,
        preview.count,
        "没有逾期的交办。到期没有答复、或没有审签更正和补充的会出现在这里。",
    )


def _overdue_follow_ups(today: date) -> WorkList:
    preview = worklists.preview(worklists.overdue_follow_ups(today))
    rows = [_late_follow_up_row(follow_up, today) for follow_up in preview.rows]
    empty = f"没有逾期的督办。到期没有办结、或立项满{policy.FOLLOW_UP_ALARM_DAYS}天的会出现在这里。"
    return WorkList("late_follow_ups", "逾期和久未办结的督办", rows, preview.count, empty)


def _in_limbo(now: datetime) -> WorkList:
    found = list(limbo.search(now)) if limbo.found_last_time() else []
    rows = [
        Row(each.hole.title, _record_url(each.record), each.hole.advice, lead=str(each.record), late=True)
        for each in found[: worklists.PREVIEW_ROWS]
    ]
    empty = "没有无人办理的事项。登记、交办、督办没有下一步或没有人办的，会出现在这里。"
    return WorkList("limbo", "没有着落的事项", rows, len(found), empty)


def _record_url(record: Model) -> str:
    if isinstance(record, Assignment | FollowUp):
        return _registration_url(record.appointment_id)
    if isinstance(record, Reply):
        return _registration_url(record.assignment.appointment_id)
    if isinstance(record, Seat):
        return _day_url(record.day)
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def _late_reply_row(assignment: Assignment, today: date) -> Row:
    what = f"{ReplyKind(assignment.revision).label}：" if assignment.revision else ""
    return _late_row(assignment, what + assignment.question, _deadline(assignment.wanted_on, today))


def _late_follow_up_row(follow_up: FollowUp, today: date) -> Row:
    late = follow_up.due_on < today
    age = _deadline(follow_up.due_on, today) if late else _days_open(follow_up, today)
    return _late_row(follow_up, follow_up.promise, age)


def _late_row(row: Assignment | FollowUp, text: str, age: str) -> Row:
    return Row(
        title=row.appointment.enterprise_name,
        url=_registration_url(row.appointment_id),
        lead=str(row.division),
        detail=Truncator(text).chars(48),
        age=age,
        late=True,
    )


def _days_open(follow_up: FollowUp, today: date) -> str:
    return f"立项 {(today - local_date(follow_up.opened_at)).days} 天"


def _to_run(days: list[ConsultDay], today: date) -> Iterator[WorkList]:
    """A link to 现场签到 on the 咨询日 and on the day before."""
    near = [day for day in days if day.date <= today + timedelta(days=1)]
    for day in [day for day in near if day.settled_at and not day.is_cancelled]:
        age = "今天" if day.date == today else "明天"
        row = Row("现场签到和结果", _check_in_url(day), day.place, lead=calendar.short(day.date), age=age)
        yield WorkList("run", "咨询日现场", [row], 1, "")


def _check_in_url(day: ConsultDay) -> str:
    return reverse("admin:sessions_app_consultday_check_in_list", args=[day.pk])


def _to_conclude(now: datetime) -> WorkList:
    preview = worklists.preview(worklists.to_conclude(now))
    rows = [
        Row(
            a.enterprise_name,
            reverse("admin:sessions_app_consultday_check_in_firm", args=[a.day_id, a.pk]),
            f"{calendar.short(a.day.date)}　{a.seat.number}号名额",
            age="待录",
        )
        for a in preview.rows
    ]
    return WorkList(
        "conclude",
        "现场结果待录",
        rows,
        preview.count,
        "没有待录的现场结果。咨询日当天起，到场企业会出现在这里。",
    )


def _deadline(due_on: date, today: date) -> str:
    late = (today - due_on).days
    return f"逾期 {late} 天" if late > 0 else f"{due_on.month}月{due_on.day}日到期"


def _registration_url(pk, panel: str = "") -> str:
    return reverse("admin:appointments_appointment_change", args=[pk]) + (f"#panel-{panel}" if panel else "")


def _day_url(day: ConsultDay) -> str:
    return reverse("admin:sessions_app_consultday_change", args=[day.pk])


# The kernel may not import triage, so triage registers what it has for the home page.
admin.site.register_worklist(worklists_of)

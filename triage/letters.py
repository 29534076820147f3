"""The kinds of letters of 六（三） to （六）: to firms about their registration, to officers about their work."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from appointments.facts import read
from appointments.letters import (
    WITH_SEAT,
    at_stage,
    firm_facts,
    firm_letter,
    holds_seat,
    is_rated,
    reply_facts,
    seat_letter_facts,
)
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.waiting_list import waiting
from sessions_app import calendar, policy
from sessions_app.letters import day_facts, day_over, to_officers
from sessions_app.models import ConsultDay, PlanChange
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.outbox.kinds import LetterKind, Params, always

from . import timetable
from .models import Assignment, AssignmentState, FollowUp, FollowUpPost, Hearing, Reply, ReplyKind, Review
from .work import SILENT_TO_FIRM, UNANSWERED

A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)


# --- To firms --------------------------------------------------------------------------------------------------------
def _accepted_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """What comes next is said as the progress page says it. The SMS does not say it, and does not read it."""
    return reply_facts(appointment, {}, now) | {"next": cache(lambda: read(appointment, now).next.what)}


def _declined_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    review = Review.objects.get(pk=params["review"])
    decided = {"reason": review.get_reason_display(), "explanation": review.explanation}
    return firm_facts(appointment, {}, now) | decided


def _reply_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    assignment = Assignment.objects.select_related("division").get(pk=params["assignment"])
    reply = Reply.objects.get(assignment=assignment, kind=ReplyKind.FIRST)
    return firm_facts(appointment, {}, now) | {"assignment": assignment, "reply": reply}


def _revision_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """`said_at`: when that was said which is corrected or supplemented."""
    reply = Reply.objects.select_related("assignment__division").get(pk=params["reply"])
    before = Reply.objects.filter(assignment=reply.assignment, version__lt=reply.version)
    said = before.filter(signed_at__isnull=False).exclude(kind=ReplyKind.SUPPLEMENT).last()
    told = {"assignment": reply.assignment, "reply": reply, "said_at": said.signed_at}
    return firm_facts(appointment, {}, now) | told


def _plan_change_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    change = PlanChange.objects.get(pk=params["change"])
    return seat_letter_facts(appointment, {"moved": params["moved"]}, now) | {"change": change}


def _plan_changed(appointment: Appointment, params: Params, now: datetime) -> str:
    """Of two changes that wait, the later letter tells the plan as it is."""
    later = PlanChange.objects.filter(day=appointment.day, pk__gt=params["change"])
    return "方案又有变更，另有通知" if later.exists() else holds_seat(appointment, params, now)


def _standby(appointment: Appointment, params: Params, now: datetime) -> str:
    if appointment.stage != Stage.SEATED:
        return "名额已不在该企业名下"
    return "现场咨询已经结束" if now >= calendar.ends_at(appointment.day.date) else ""


def _heard_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    hearing = Hearing.objects.get(appointment=appointment)
    promises = FollowUp.objects.filter(appointment=appointment, origin=FollowUp.Origin.DAY)
    told = {
        "gist": hearing.gist,
        "promises": list(promises.select_related("division").order_by("pk")),
        "rated": is_rated(appointment),
    }
    return firm_facts(appointment, {}, now) | told


def _progress_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    entry = FollowUpPost.objects.select_related("follow_up__division").get(pk=params["post"])
    return firm_facts(appointment, {}, now) | {"follow_up": entry.follow_up, "progress": entry.text}


def _closed_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    """The results of all matters that were followed up until now; none where 综合处 closed without one."""
    told = {
        "matters": followed_up(appointment) if params["follow_up"] else [],
        "rated": is_rated(appointment),
    }
    return firm_facts(appointment, {}, now) | told


def followed_up(appointment: Appointment) -> list[FollowUp]:
    """The matters closed since the registration came into 跟踪督办. A 差评回访 is about the service, not about the matter."""
    matters = FollowUp.objects.filter(appointment=appointment, closed_at__isnull=False).exclude(result="")
    began = appointment.moves.filter(new=Stage.FOLLOWING).order_by("at").last()
    since = matters.filter(closed_at__gte=began.at) if began else matters
    about_the_matter = since.exclude(origin=FollowUp.Origin.RATING)
    return list(about_the_matter.select_related("division").order_by("pk"))


def _term_facts(appointment: Appointment, params: Params, now: datetime) -> dict:
    return firm_facts(appointment, {}, now) | {"days": policy.DEFERRAL_ANSWER_DAYS}


BEING_ANSWERED = (Stage.ACCEPTED, Stage.SEATED, Stage.DEFERRED)
REPLY_WANTED = (Stage.SUBMITTED, *BEING_ANSWERED, Stage.ANSWERED, Stage.HEARD, Stage.ABSENT, Stage.FOLLOWING)

STILL_TOLD = tuple(set(Stage) - SILENT_TO_FIRM)

TO_FIRMS = [
    firm_letter("review_accepted", "已通过初审", at_stage(*BEING_ANSWERED), _accepted_facts),
    firm_letter("review_declined", "未通过初审", at_stage(Stage.DECLINED), _declined_facts),
    firm_letter("review_reopened", "登记重新审核", at_stage(Stage.SUBMITTED)),
    firm_letter("reply_released", "有新的答复意见", at_stage(*REPLY_WANTED), _reply_facts),
    firm_letter("reply_corrected", "答复有更正", at_stage(*STILL_TOLD), _revision_facts),
    firm_letter("reply_supplemented", "有补充答复", at_stage(*STILL_TOLD), _revision_facts),
    firm_letter("plan_changed", "活动安排有变更", _plan_changed, _plan_change_facts, related=WITH_SEAT),
    firm_letter("day_near", "现场咨询提醒", holds_seat, seat_letter_facts, related=WITH_SEAT),
    firm_letter("standby_called", "候补入场", _standby, seat_letter_facts, related=WITH_SEAT),
    firm_letter("heard_solved", "现场咨询已完成", at_stage(Stage.HEARD, Stage.CLOSED), _heard_facts),
    firm_letter("heard_follow", "已列入跟踪督办", at_stage(Stage.FOLLOWING), _heard_facts),
    firm_letter("heard_absent", "未到场", at_stage(Stage.ABSENT), reply_facts),
    firm_letter("progress_to_firm", "办理进展", at_stage(Stage.FOLLOWING), _progress_facts),
    firm_letter("closed", "已办结", at_stage(Stage.CLOSED), _closed_facts),
    firm_letter("deferral_closed", "登记已办结", at_stage(Stage.CLOSED), _term_facts),
    firm_letter("feedback_closed", "登记已办结", at_stage(Stage.CLOSED), _term_facts),
]


# --- To officers -----------------------------------------------------------------------------------------------------
def _assignment_facts(assignment: Assignment, params: Params, now: datetime) -> dict:
    return {"assignment": assignment}


def in_state(*states: AssignmentState) -> Callable[[Assignment, Params, datetime], str]:
    """For `outdated`: the letter is true while the 交办 is in one of these states."""

    def why_not(assignment: Assignment, params: Params, now: datetime) -> str:
        return "" if assignment.state in states else f"交办{assignment.get_state_display()}"

    return why_not


def drafting_is(state: AssignmentState) -> Callable[[Assignment, Params, datetime], str]:
    """For `outdated`: the reply in hand, which may be a 更正 or 补充, stands there."""

    def why_not(assignment: Assignment, params: Params, now: datetime) -> str:
        return "" if assignment.standing == state else f"答复{assignment.standing.label}"

    return why_not


def _reply_soon(assignment: Assignment, params: Params, now: datetime) -> str:
    """Past the term, `reply_late` says so."""
    if now >= calendar.local_datetime(assignment.due_on + A_DAY):
        return "已经逾期，另有通知"
    return in_state(*UNANSWERED)(assignment, params, now)


def _revision_term(reply: Reply, params: Params, now: datetime) -> dict:
    return {"what": reply.get_kind_display(), "due_on": reply.due_on}


def _revision_in_hand(reply: Reply, params: Params, now: datetime) -> str:
    return "" if reply.is_in_hand else f"{reply.get_kind_display()}已办结"


def _revision_soon(reply: Reply, params: Params, now: datetime) -> str:
    if now >= calendar.local_datetime(reply.due_on + A_DAY):
        return "已经逾期，另有通知"
    return _revision_in_hand(reply, params, now)


def _follow_up_facts(follow_up: FollowUp, params: Params, now: datetime) -> dict:
    return {"follow_up": follow_up, "days": params.get("days")}


def _follow_up_open(follow_up: FollowUp, params: Params, now: datetime) -> str:
    return "督办已办结" if follow_up.closed_at else ""


def _month_end_facts(day: ConsultDay, params: Params, now: datetime) -> dict:
    rows = Appointment.objects.live().on(day)
    return {
        "day": day,
        "pending": rows.filter(stage=Stage.SUBMITTED).count(),
        "accepted": rows.filter(stage=Stage.ACCEPTED).count(),
        "carried": rows.filter(priority_since__isnull=False, wants_onsite=True).count(),
        "waiting": waiting(day).count(),
        "last": day.date.replace(day=policy.SETTLE_BY),
    }


def _unsettled(day: ConsultDay, params: Params, now: datetime) -> str:
    if day.settled_at:
        return "名单已确定"
    return "活动已取消" if day.is_cancelled else ""


def _settle_unwanted(day: ConsultDay, params: Params, now: datetime) -> str:
    """It goes on after the day, as long as firms wait to hear whether they are on the list."""
    if why_not := _unsettled(day, params, now):
        return why_not
    waits = Appointment.objects.on(day).filter(stage=Stage.SUBMITTED).exists() or waiting(day).exists()
    return "" if waits else "没有企业在等待"


def _cutoff_over(day: ConsultDay, params: Params, now: datetime) -> str:
    """Past the date that it names, `settle_wanted` says so each day."""
    if why_not := _unsettled(day, params, now):
        return why_not
    wanted_by = day.date.replace(day=policy.SETTLE_BY)
    return "已过确定名单的日期，另有催办" if now >= calendar.local_datetime(wanted_by + A_DAY) else ""


def _hastened(day: ConsultDay, params: Params) -> int:
    """How many replies of this division are owed to firms without a seat."""
    owed = Assignment.objects.filter(division__code=params["division"], state__in=UNANSWERED)
    return owed.filter(appointment__day=day, appointment__stage=Stage.DEFERRED).count()


def _hastened_facts(day: ConsultDay, params: Params, now: datetime) -> dict:
    return {
        "day": day,
        "count": _hastened(day, params),
        "last": datetime.fromisoformat(params["last"]).date(),
    }


def _none_hastened(day: ConsultDay, params: Params, now: datetime) -> str:
    """Past the term, `reply_late` says so; after the day there is nothing to be ahead of."""
    if over := day_over(day, params, now):
        return over
    if now >= calendar.local_datetime(datetime.fromisoformat(params["last"]).date() + A_DAY):
        return "已经逾期，另有通知"
    return "" if _hastened(day, params) else "答复都已完成"


def _run_sheet_facts(day: ConsultDay, params: Params, now: datetime) -> dict:
    division = Division.objects.get(code=params["division"])
    own = [slot for slot in timetable.schedule_of(day).slots if slot.needs(division)]
    first = own[0].starts_at if own else None
    return {"day": day, "division_name": division.name, "firms": len(own), "first": first}


def _run_sheet(day: ConsultDay, params: Params, now: datetime) -> str:
    if over := day_over(day, params, now):
        return over
    return "" if _run_sheet_facts(day, params, now)["firms"] else "不再需要到场"


def _cancelled_facts(day: ConsultDay, params: Params, now: datetime) -> dict:
    next_day = calendar.short(calendar.parse_slug(params["next"]))
    return {"day": day, "carried": params["carried"], "next_day": next_day}


def about_assignment(name: str, title: str, outdated: Callable, **options) -> LetterKind:
    return to_officers(name, title, _assignment_facts, outdated, **options)


def about_revision(name: str, title: str, outdated: Callable) -> LetterKind:
    return to_officers(name, title, _revision_term, outdated)


def about_follow_up(name: str, title: str, outdated: Callable, **options) -> LetterKind:
    return to_officers(name, title, _follow_up_facts, outdated, related=("division",), **options)


TO_OFFICERS = [
    about_assignment("assignment_new", "新的交办事项", in_state(*UNANSWERED)),
    about_assignment("assignment_returned", "交办被退回", in_state(AssignmentState.RETURNED)),
    about_assignment("reply_to_sign", "答复待审签", drafting_is(AssignmentState.DRAFTED)),
    about_assignment("reply_sent_back", "答复退回修改", drafting_is(AssignmentState.OPEN)),
    about_revision("revision_soon", "更正或补充即将到期", _revision_soon),
    about_revision("revision_late", "更正或补充已逾期", _revision_in_hand),
    about_assignment("reply_soon", "答复即将到期", _reply_soon),
    about_assignment("reply_late", "答复已逾期", in_state(*UNANSWERED)),
    about_assignment("reply_for_absent", "未到场企业待书面答复", in_state(*UNANSWERED)),
    about_follow_up("follow_up_new", "新的督办事项", _follow_up_open),
    about_follow_up("follow_up_late", "督办到期提醒", _follow_up_open),
    about_follow_up("follow_up_old", "督办久未办结", _follow_up_open),
    about_follow_up("follow_up_progress", "督办进展", always, useful_for=A_WEEK),
    about_follow_up("follow_up_closed", "督办办结", always, useful_for=A_WEEK),
    to_officers(
        "limbo_found",
        "有事项没有着落",
        lambda officer, params, now: {"count": params["count"], "titles": params["titles"]},
        always,
        useful_for=A_DAY,
    ),
    to_officers("cutoff_summary", "预约截止汇总", _month_end_facts, _cutoff_over),
    to_officers("settle_wanted", "请确定现场名单", _month_end_facts, _settle_unwanted, useful_for=A_DAY),
    to_officers("replies_hastened", "答复期限提前", _hastened_facts, _none_hastened),
    to_officers("run_sheet_ready", "现场安排表", _run_sheet_facts, _run_sheet),
    to_officers("plan_changed_bureau", "活动方案变更", day_facts, day_over),
    to_officers("day_cancelled_bureau", "活动取消", _cancelled_facts, always, useful_for=A_WEEK),
]

LETTERS = TO_FIRMS + TO_OFFICERS

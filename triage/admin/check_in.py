"""现场签到 (六（五）), on a tablet at the entrance: check a firm in, record 现场结果, call a waiting firm in."""

from collections.abc import Callable
from datetime import date, datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments import check_in_code, facts
from appointments.models import Appointment
from appointments.search import find_firm, safe_to_echo
from sessions_app import calendar
from sessions_app.models import ConsultDay
from triage import hearing, standby, timetable
from triage.forms import OutcomeForm
from triage.models import Outcome
from triage.timetable import Schedule, Slot
from triage.visibility import appointments_for
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.clock import local_date

from .urls import render_page, run_day_path, url_of

# A tablet shows the first of the waiting firms only: few seats become free in one morning.
WAITING_SHOWN = 20


@require_safe
def check_in_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The firms of the day in the order of their times. A search that finds only one seated firm opens it."""
    day, now = get_object_or_404(ConsultDay, pk=pk), timezone.now()
    schedule, waiting = timetable.schedule_of(day), list(standby.waiting(day)[:WAITING_SHOWN])
    slots, query = schedule.slots, request.GET.get("q", "").strip()
    if query:
        found = _found_pks(request, day, query, now)
        slots = [slot for slot in slots if slot.appointment.pk in found]
        waiting = [firm for firm in waiting if firm.pk in found]
        if len(slots) == 1 and not waiting:
            return redirect(url_of("check_in_firm", pk, slots[0].appointment.pk))
    context = {"slots": slots, "waiting": waiting, "query": safe_to_echo(query)}
    return render_page(request, "admin/check_in/list.html", _day_context(day, schedule, now) | context)


def _found_pks(request: HttpRequest, day: ConsultDay, query: str, now: datetime) -> set[int]:
    rows = appointments_for(request.user).filter(day=day)
    return set(find_firm(rows, query, today=_today(now)).values_list("pk", flat=True))


def _day_context(day: ConsultDay, schedule: Schedule, now: datetime) -> dict:
    hearings = [slot.appointment.hearing for slot in schedule.slots if hasattr(slot.appointment, "hearing")]
    # Absent firms whose seat a waiting firm has taken: they are no longer in the timetable.
    replaced = Appointment.objects.filter(day=day, seat=None, hearing__outcome=Outcome.ABSENT)
    return {
        "title": "现场签到",
        "day": day,
        "schedule": schedule,
        "has_begun": now >= calendar.local_datetime(day.date),
        "is_today": _today(now) == day.date,
        "checked_in": sum(bool(row.checked_in_at) for row in hearings),
        "concluded": sum(bool(row.outcome) for row in hearings),
        "free_seats": standby.freed(day),
        "replaced_firms": replaced.only("pk", "reference", "enterprise_name"),
    }


def _today(now: datetime) -> date:
    return local_date(now)


@require_safe
def firm(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    return _firm_page(request, _firm(request, pk, firm))


def _firm(request: HttpRequest, pk: int, firm: int) -> Appointment:
    rows = appointments_for(request.user).filter(day=pk).select_related("day", "seat", "hearing")
    found = get_object_or_404(rows, pk=firm)
    # `OutcomeForm` offers the divisions from here, so that the form itself asks the database nothing.
    found.every_division = list(Division.objects.all())
    return found


def _firm_page(request: HttpRequest, appointment: Appointment, form=None, status: int = 200) -> HttpResponse:
    """One firm with its three buttons for 现场结果. `form`: one that was refused, with what was typed."""
    slot = _slot_of(appointment)
    form = form or OutcomeForm(
        record=appointment, action="outcome", initial=_initial_promise(appointment, slot)
    )
    context = {
        "title": appointment.enterprise_name,
        "day": appointment.day,
        "record": appointment,
        "slot": slot,
        "form": form,
        "situation": facts.read(appointment, timezone.now()),
    }
    return render_page(request, "admin/check_in/firm.html", context, status=status)


def _slot_of(appointment: Appointment) -> Slot | None:
    """The firm's time and table. None for a firm that has no seat, or has it no longer."""
    slots = timetable.schedule_of(appointment.day).slots
    return next((slot for slot in slots if slot.appointment.pk == appointment.pk), None)


def _initial_promise(appointment: Appointment, slot: Slot | None) -> dict:
    """What the promise of 需跟踪督办 starts from: the lead division and its question."""
    lead = slot.divisions[0].code if slot and slot.divisions else "general"
    questions = [each.question for each in slot.appointment.given[:1]] if slot else []
    return {"division": lead, "text": (questions or [appointment.summary])[0][:500]}


@require_POST
def check_in(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    appointment = _firm(request, pk, firm)
    done = f"{appointment.enterprise_name} 已签到。"
    _run(request, lambda: hearing.check_in(appointment, by=request.user, at=timezone.now()), done)
    # The page of the firm sends `stay`, because 现场结果 is recorded there next.
    stays = "stay" in request.POST
    return redirect(url_of("check_in_firm", pk, firm) if stays else url_of("check_in_list", pk))


@require_http_methods(["GET", "HEAD", "POST"])
def outcome(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    """Record 现场结果 by one of three buttons. A reload is a GET: it only goes back to the firm."""
    appointment = _firm(request, pk, firm)
    if request.method != "POST":
        return redirect(url_of("check_in_firm", pk, firm))
    form = OutcomeForm(request.POST, record=appointment, action="outcome")
    if not form.is_valid():
        return _firm_page(request, appointment, form)
    data = form.cleaned_data
    try:
        hearing.conclude(
            appointment,
            Outcome(data["outcome"]),
            data["gist"],
            form.promises(),
            by=request.user,
            at=timezone.now(),
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _firm_page(request, _firm(request, pk, firm), form, status=refusal.status)
    messages.success(
        request, f"{appointment.enterprise_name}：{Outcome(data['outcome']).label}，已保存并告知企业。"
    )
    return redirect(url_of("check_in_list", pk))


@require_POST
def call_in(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    appointment = _firm(request, pk, firm)
    done = f"{appointment.enterprise_name} 已列入名单，请引导到空出的一桌，并签到。"
    _run(request, lambda: standby.call_in(appointment, by=request.user, at=timezone.now()), done)
    return redirect(url_of("check_in_list", pk))


def _run(request: HttpRequest, act: Callable[[], object], done: str) -> None:
    """Do the act. Its refusal is shown on the next page, because these buttons have no form to keep open."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)


@require_safe
def by_code(request: HttpRequest, token: str) -> HttpResponse:
    """The 签到码 on a firm's phone opens the page of the firm. A scan is a GET: only the button checks it in."""
    # A code of another day or of a seat that was given up must not open a firm that is not expected today.
    expected = Appointment.objects.filter(day__date=_today(timezone.now()), seat__isnull=False)
    found = check_in_code.find(token, expected.select_related("day").only("pk", "day__date"))
    if found:
        return redirect(url_of("check_in_firm", found.day_id, found.pk))
    messages.error(
        request, "这个签到码不在今天的名单上，可能是别的日期的，或名额已经放弃。请按受理编号或企业名称查找。"
    )
    today = ConsultDay.objects.filter(date=_today(timezone.now())).first()
    return redirect(url_of("check_in_list", today.pk) if today else "admin:index")


def urlpatterns() -> list[URLPattern]:
    """The routes below a 咨询日, which `consult_day.DayAdmin` adds to its own."""
    return [
        run_day_path("check-in/<slug:token>/", by_code, "check_in_by_code"),
        run_day_path("<int:pk>/floor/", check_in_list, "check_in_list"),
        run_day_path("<int:pk>/floor/<int:firm>/", firm, "check_in_firm"),
        run_day_path("<int:pk>/floor/<int:firm>/check-in/", check_in, "check_in"),
        run_day_path("<int:pk>/floor/<int:firm>/outcome/", outcome, "outcome"),
        run_day_path("<int:pk>/floor/<int:firm>/call-in/", call_in, "call_in"),
    ]

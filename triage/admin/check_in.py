"""现场 (六（五）), on a tablet at the door: who is there, how each talk ended, and who is called in for a firm that is not."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments import check_in_code
from appointments.lifecycle import Stage
from appointments.models import Appointment
from appointments.search import safe_to_echo, search
from sessions_app import calendar
from sessions_app.models import ConsultDay
from triage import hearing, standby, timetable
from triage.forms import OutcomeForm
from triage.models import Outcome
from triage.timetable import Schedule, Slot
from triage.visibility import appointments_for
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.refusals import Refused

from .urls import address, door, show

WAITING_SHOWN = 20


@require_safe
def floor(request: HttpRequest, pk: int) -> HttpResponse:
    """The morning in its order. A search that finds one firm of the list opens it."""
    day, now = get_object_or_404(ConsultDay, pk=pk), timezone.now()
    schedule, waiting = timetable.schedule_of(day), list(standby.waiting(day)[:WAITING_SHOWN])
    slots, sought = schedule.slots, request.GET.get("q", "").strip()
    if sought:
        found = _found(request, day, sought, now)
        slots = [slot for slot in slots if slot.appointment.pk in found]
        waiting = [firm for firm in waiting if firm.pk in found]
        if len(slots) == 1 and not waiting:
            return redirect(address("firm", pk, slots[0].appointment.pk))
    context = {"slots": slots, "waiting": waiting, "sought": safe_to_echo(sought)}
    return show(request, "admin/check_in/floor.html", _morning(day, schedule, now) | context)


def _found(request: HttpRequest, day: ConsultDay, sought: str, now: datetime) -> set[int]:
    rows = appointments_for(request.user).filter(day=day)
    return set(search(rows, sought, today=_today(now)).values_list("pk", flat=True))


def _morning(day: ConsultDay, schedule: Schedule, now: datetime) -> dict:
    heard = [slot.appointment.hearing for slot in schedule.slots if hasattr(slot.appointment, "hearing")]
    replaced = Appointment.objects.filter(day=day, seat=None, hearing__outcome=Outcome.ABSENT)
    return {
        "title": "现场签到",
        "day": day,
        "schedule": schedule,
        "has_come": now >= calendar.local_datetime(day.date),
        "is_today": _today(now) == day.date,
        "here": sum(bool(each.checked_in_at) for each in heard),
        "done": sum(bool(each.outcome) for each in heard),
        "freed": standby.freed(day),
        "replaced": replaced.only("pk", "reference", "enterprise_name"),
    }


def _today(now: datetime):
    return now.astimezone(calendar.SHANGHAI).date()


@require_safe
def firm(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    return _firm_page(request, _firm(request, pk, firm))


def _firm(request: HttpRequest, pk: int, firm: int) -> Appointment:
    rows = appointments_for(request.user).filter(day=pk).select_related("day", "seat", "hearing")
    found = get_object_or_404(rows, pk=firm)
    found.every_division = list(Division.objects.all())
    return found


def _firm_page(request: HttpRequest, of: Appointment, form=None, status: int = 200) -> HttpResponse:
    """One firm with its three buttons; what is promised starts from its question and the division that leads."""
    slot = next((slot for slot in timetable.schedule_of(of.day).slots if slot.appointment.pk == of.pk), None)
    context = {
        "title": of.enterprise_name,
        "day": of.day,
        "record": of,
        "slot": slot,
        "form": form or OutcomeForm(record=of, action="outcome", initial=_promise(of, slot)),
        "open": of.stage == Stage.SEATED and timezone.now() >= calendar.local_datetime(of.day.date),
    }
    return show(request, "admin/check_in/firm.html", context, status=status)


def _promise(of: Appointment, slot: Slot | None) -> dict:
    lead = slot.divisions[0].code if slot and slot.divisions else "general"
    questions = [each.question for each in slot.appointment.given[:1]] if slot else []
    return {"division": lead, "text": (questions or [of.summary])[0][:500]}


@require_POST
def check_in(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    of = _firm(request, pk, firm)
    _try(
        request,
        lambda: hearing.check_in(of, by=request.user, at=timezone.now()),
        f"{of.enterprise_name} 已签到。",
    )
    return redirect(address("firm", pk, firm) if "stay" in request.POST else address("floor", pk))


@require_http_methods(["GET", "HEAD", "POST"])
def outcome(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    """How the talk ended, by one of three buttons. Reloaded or gone back to, the address only leads to the firm."""
    of = _firm(request, pk, firm)
    if request.method != "POST":
        return redirect(address("firm", pk, firm))
    form = OutcomeForm(request.POST, record=of, action="outcome")
    if not form.is_valid():
        return _firm_page(request, of, form)
    said = form.cleaned_data
    try:
        hearing.conclude(
            of, Outcome(said["outcome"]), said["gist"], form.promises(), by=request.user, at=timezone.now()
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _firm_page(request, _firm(request, pk, firm), form, status=refusal.status)
    messages.success(request, f"{of.enterprise_name}：{Outcome(said['outcome']).label}，已保存并告知企业。")
    return redirect(address("floor", pk))


@require_POST
def call_in(request: HttpRequest, pk: int, firm: int) -> HttpResponse:
    of = _firm(request, pk, firm)
    done = f"{of.enterprise_name} 已列入名单，请引导到空出的一桌，并签到。"
    _try(request, lambda: standby.call_in(of, by=request.user, at=timezone.now()), done)
    return redirect(address("floor", pk))


def _try(request: HttpRequest, act, done: str) -> None:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)


@require_safe
def by_code(request: HttpRequest, token: str) -> HttpResponse:
    """The code on a firm's phone, scanned: it opens the firm; the button there checks it in."""
    expected = Appointment.objects.filter(day__date=_today(timezone.now()), seat__isnull=False)
    found = check_in_code.find(token, expected.select_related("day").only("pk", "day__date"))
    if found:
        return redirect(address("firm", found.day_id, found.pk))
    messages.error(
        request, "这个签到码不在今天的名单上，可能是别的日期的，或名额已经放弃。请按受理编号或企业名称查找。"
    )
    today = ConsultDay.objects.filter(date=_today(timezone.now())).first()
    return redirect(address("floor", today.pk) if today else "admin:index")


def addresses() -> list:
    return [
        door("check-in/<slug:token>/", by_code, "arrival"),
        door("<int:pk>/floor/", floor, "floor"),
        door("<int:pk>/floor/<int:firm>/", firm, "firm"),
        door("<int:pk>/floor/<int:firm>/check-in/", check_in, "check_in"),
        door("<int:pk>/floor/<int:firm>/outcome/", outcome, "outcome"),
        door("<int:pk>/floor/<int:firm>/call-in/", call_in, "call_in"),
    ]

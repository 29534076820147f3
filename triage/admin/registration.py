"""The screen of a registration: all that an officer needs to decide, and every action that is open now."""

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from appointments import facts
from appointments.admin import AppointmentAdmin, ListForm
from appointments.models import Appointment, ContactCorrection, Objection, StageMove
from triage import calls, earlier_answers, visibility
from triage.models import Assignment, CallRecord, FollowUp, Reply, Review
from triage.rulebook import explanation
from triage.rulebook.routing_traces import shown_trace
from zhoushan_consult.bureau.actions import may, parse_key
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.identity import phone
from zhoushan_consult.identity.mask import mask_email, mask_name, mask_phone
from zhoushan_consult.outbox.models import Notice

from .registration_actions import ACTIONS

# The newest rows in the side column. Older ones are found with the search of the list.
EARLIER_SHOWN = 12
LETTERS_SHOWN = 60


def division_choices() -> list[tuple[str, str]]:
    return [("", "全部"), *((division.code, division.name) for division in Division.objects.all())]


class RegistrationListForm(ListForm):
    """The list of registrations, which here can also be filtered by division."""

    division = forms.ChoiceField(label="处室", required=False, choices=division_choices)

    def among(self, rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
        rows, code = super().among(rows), self.cleaned_data.get("division")
        # A subquery and not a join: a firm with two 交办 of one division must stay one row.
        assigned = Assignment.objects.filter(division__code=code).values("appointment")
        return rows.filter(pk__in=assigned) if code else rows


@admin.register(Appointment)
class RegistrationAdmin(AppointmentAdmin):
    record_actions = ACTIONS
    list_form = RegistrationListForm
    screen_template = "admin/appointment/screen.html"

    def get_queryset(self, request):
        return visibility.appointments_for(request.user)

    def get_object(self, request, object_id, from_field=None):
        """The registration with its whole history, in a number of queries that does not grow with it."""
        found = _with_all(self.get_queryset(request)).filter(pk=parse_key(str(object_id))).first()
        if found:
            # The forms and sections read the attributes below, so they need no query of their own.
            found.trace = shown_trace(found, timezone.now())
            found.situation = facts.read(found, timezone.now())
            found.every_division = list(Division.objects.all())
            found.before = earlier_answers.before(found, request.user)
            found.letters = list(_letters(found))
            found.past_calls = calls.calls_of(found)
            found.is_unreachable = calls.is_unreachable(found)
            _read_calls_to_make(found)
        return found

    def facts(self, request, record: Appointment) -> dict:
        decision = record.trace.to_decision()
        return {
            "title": record.enterprise_name,
            **_reached_at(record, in_full=may(request, Act.CALL)),
            "objections": _objections(record, in_full=may(request, Act.CALL)),
            "decision": decision,
            "suggested": explanation.division_names(decision),
            "summary": explanation.marked(record.summary, decision),
            "grounds": explanation.grounds(decision),
            "earlier": _earlier(record),
            "may_publish": may(request, Act.PUBLISH),
        }


def _reached_at(record: Appointment, *, in_full: bool) -> dict:
    """Telephone and mailbox, masked for officers who do not telephone."""
    if in_full:
        shown = {"phone": phone.format_phone(record.phone_number), "email": record.email}
    else:
        shown = {"phone": record.masked_phone, "email": mask_email(record.email)}
    return shown | {"may_call": in_full}


def _objections(record: Appointment, *, in_full: bool) -> list[tuple[Objection, str, str]]:
    """Each 登记异议 with name and telephone of the person to call: that one says that the registration is not theirs."""
    opened = [(each, each.contact_name.open(), each.phone.open()) for each in record.objections.all()]
    if in_full:
        return [(each, name, phone.format_phone(number)) for each, name, number in opened]
    return [(each, mask_name(name), mask_phone(number)) for each, name, number in opened]


def _with_all(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    related = rows.select_related("day", "seat", "area", "entered_by", "hearing__by", "rating")
    return related.prefetch_related(
        Prefetch("assignments", Assignment.objects.select_related("division", "assigned_by")),
        Prefetch("assignments__replies", Reply.objects.select_related("drafted_by", "signed_by")),
        "supplements",
        Prefetch("objections", Objection.objects.select_related("decided_by")),
        Prefetch("moves", StageMove.objects.select_related("by")),
        Prefetch("calls", CallRecord.objects.select_related("by")),
        Prefetch("contact_corrections", ContactCorrection.objects.select_related("by")),
        Prefetch("reviews", Review.objects.select_related("by")),
        Prefetch("follow_ups", FollowUp.objects.select_related("division").prefetch_related("posts__by")),
    )


def _letters(record: Appointment) -> QuerySet[Notice]:
    about = Notice.objects.filter(about_kind=record._meta.label_lower, about_id=str(record.pk))
    return about.order_by("-created_at", "-pk")[:LETTERS_SHOWN]


def _read_calls_to_make(record: Appointment) -> None:
    """The letters to tell on the telephone, as of now. One that need not be told says so where the letters are listed."""
    waiting = calls.letters_to_tell(record, timezone.now())
    record.calls_to_make = [call for call in waiting if not call.not_needed]
    why = {call.notice.pk: call.not_needed for call in waiting}
    for letter in record.letters:
        letter.not_needed = why.get(letter.pk, "")


def _earlier(record: Appointment) -> list[Appointment]:
    """Other registrations of the firm, and of its contact for other firms (marked `other_firm`), newest first."""
    # An erased registration has no id_index. Q() adds nothing, while id_index="" would match all erased ones.
    person = Q(id_index=record.id_index) if record.id_index else Q()
    same = Appointment.objects.filter(Q(uscc=record.uscc) | person).exclude(pk=record.pk)
    found = list(same.select_related("day").order_by("-submitted_at")[:EARLIER_SHOWN])
    for other in found:
        other.other_firm = other.uscc != record.uscc
    return found

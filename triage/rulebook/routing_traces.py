"""What the rules suggest for a registration (五（一）): judged once, stored, shown, and named by the acceptance.

A worker stores the trace within seconds of a registration, an amendment or a change of the rules. Where it has not yet,
the first screen that needs one stores it. So the officer decides on the routing that was shown, even if the rules change meanwhile.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, F, OuterRef

from appointments.lifecycle import Stage
from appointments.models import Appointment
from triage.models import RoutingTrace
from triage.routing.router import Router

from . import versions

# Registrations judged in one run of the worker, about a millisecond each. The next run, seconds later, takes the rest.
BATCH_SIZE = 200


def store_missing(now: datetime) -> int:
    """Judge every registration in 初审 whose present text the active rules have not judged yet. Returns how many."""
    router = versions.active_router(now)
    judged = RoutingTrace.objects.filter(
        appointment=OuterRef("pk"), appointment_version=OuterRef("version"), rules_version=router.version
    )
    waiting = Appointment.objects.filter(~Exists(judged), stage=Stage.SUBMITTED).order_by("pk")
    missing = list(waiting[:BATCH_SIZE])
    _store(missing, router, now)
    return len(missing)


def current_traces(appointments: Collection[Appointment], now: datetime) -> dict[int, RoutingTrace]:
    """By the key of the registration: the trace of its text as it was read and of the rules as they are, stored if missing."""
    router = versions.active_router(now)
    found = _find(appointments, router)
    missing = [appointment for appointment in appointments if appointment.pk not in found]
    if missing:
        _store(missing, router, now)
        found |= _find(missing, router)
    return found


def shown_trace(appointment: Appointment, now: datetime) -> RoutingTrace:
    """The trace on the screen of the registration: the current one during 初审, later the one that it was accepted on."""
    if appointment.stage != Stage.SUBMITTED:
        # One that was declined or withdrawn has no acceptance: its newest trace is the one that was shown.
        last_acceptance_first = F("reviews__at").desc(nulls_last=True)
        if trace := appointment.traces.order_by(last_acceptance_first, "-at").first():
            return trace
    return current_traces([appointment], now)[appointment.pk]


def _find(appointments: Collection[Appointment], router: Router) -> dict[int, RoutingTrace]:
    versions_read = {appointment.pk: appointment.version for appointment in appointments}
    traces = RoutingTrace.objects.filter(appointment__in=versions_read, rules_version=router.version)
    return {
        trace.appointment_id: trace
        for trace in traces
        if trace.appointment_version == versions_read[trace.appointment_id]
    }


def _store(appointments: Collection[Appointment], router: Router, now: datetime) -> None:
    # The worker and a screen may judge the same text at once: the second one keeps the row of the first.
    RoutingTrace.objects.bulk_create(
        [_judge(appointment, router, now) for appointment in appointments], ignore_conflicts=True
    )


def _judge(appointment: Appointment, router: Router, now: datetime) -> RoutingTrace:
    # The firm's name is passed because it must not count: 清源污水处理厂 may well ask about dust.
    decision = router.route(appointment.summary, firm_name=appointment.enterprise_name)
    return RoutingTrace(
        appointment=appointment,
        appointment_version=appointment.version,
        rules_version=router.version,
        decision=decision.as_dict(),
        at=now,
    )

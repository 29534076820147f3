"""Who may read which rows: one queryset per model, used by list, detail, export and search alike (七（二）).

综合处 and 局领导 see everything; a division sees what was given to it; a county or zone reads its own firms'.
"""

from django.db.models import Q, QuerySet

from appointments.models import Appointment
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from .models import Assignment, AssignmentState, FollowUp


def appointments_for(officer: Officer) -> QuerySet[Appointment]:
    """Registrations that the officer may read."""
    if officer.may(Act.READ_ALL):
        return Appointment.objects.all()
    mine = Q(pk__in=[])
    if officer.may(Act.DRAFT) and officer.division_id:
        mine |= Q(pk__in=assignments_for(officer).values("appointment"))
        mine |= Q(pk__in=FollowUp.objects.filter(division=officer.division_id).values("appointment"))
    if officer.may(Act.WATCH):
        mine |= Q(pk__in=FollowUp.objects.values("appointment"))
    if officer.may(Act.READ_AREA) and officer.area_id:
        mine |= Q(area=officer.area_id)
    return Appointment.objects.filter(mine)


def assignments_for(officer: Officer) -> QuerySet[Assignment]:
    """交办 that the officer may read: those of their own division; all for 综合处 and 局领导."""
    if officer.may(Act.READ_ALL):
        return Assignment.objects.all()
    if officer.may(Act.DRAFT) and officer.division_id:
        return Assignment.objects.filter(division=officer.division_id).exclude(
            state=AssignmentState.CANCELLED
        )
    return Assignment.objects.none()


def follow_ups_for(officer: Officer) -> QuerySet[FollowUp]:
    """督办 that the officer may read: those of their own division; all for 综合处, 局领导 and 办公室."""
    if officer.may(Act.READ_ALL) or officer.may(Act.WATCH):
        return FollowUp.objects.all()
    if officer.may(Act.FOLLOW_UP) and officer.division_id:
        return FollowUp.objects.filter(division=officer.division_id)
    return FollowUp.objects.none()

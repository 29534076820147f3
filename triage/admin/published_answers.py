"""公开答复: an officer may start one from a reply that was released."""

from django.contrib import admin

from appointments.admin import AnswerAdmin
from appointments.models import Appointment, PublishedAnswer
from triage.models import Assignment, AssignmentState
from triage.visibility import assignments_for
from zhoushan_consult.bureau.actions import parse_key


@admin.register(PublishedAnswer)
class PublishedAnswerAdmin(AnswerAdmin):
    def drawn_from(self, request) -> tuple[dict, Appointment | None]:
        """The first values of the form and the registration behind them; nothing without `?reply=`."""
        # The number comes from the address. Only a reply that this officer may read can be copied.
        number = request.GET.get("reply", "")
        released = (
            assignments_for(request.user).filter(state=AssignmentState.RELEASED).select_related("appointment")
        )
        assignment = released.filter(pk=parse_key(number)).first()
        if assignment is None:
            return {}, None
        return _initial(assignment), assignment.appointment


def _initial(assignment: Assignment) -> dict:
    topics, in_force = assignment.appointment.topics, assignment.replies_in_force
    return {
        "question": assignment.question,
        "answer": "\n\n".join(reply.body for reply in in_force),
        "law": "；".join(dict.fromkeys(reply.law for reply in in_force if reply.law)),
        "division": assignment.division_id,
        "topic": topics[0] if topics else "",
    }

"""公开答复, begun from a reply that was released."""

from django.contrib import admin

from appointments.admin import AnswerAdmin
from appointments.models import Appointment, PublishedAnswer
from triage.models import Assignment, AssignmentState
from triage.visibility import assignments_for


@admin.register(PublishedAnswer)
class PublishedAnswerAdmin(AnswerAdmin):
    def drawn_from(self, request) -> tuple[dict, Appointment | None]:
        number = request.GET.get("reply", "")
        released = (
            assignments_for(request.user)
            .filter(state=AssignmentState.RELEASED)
            .select_related("appointment", "reply")
        )
        given = released.filter(pk=int(number)).first() if number.isdecimal() else None
        if given is None:
            return {}, None
        return _words_of(given), given.appointment


def _words_of(given: Assignment) -> dict:
    topics = given.appointment.topics
    return {
        "question": given.question,
        "answer": given.reply.body,
        "law": given.reply.law,
        "division": given.division_id,
        "topic": topics[0] if topics else "",
    }

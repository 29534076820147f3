"""此前已明确予以解答 (五（二）): published answers and released replies that are similar to a new question."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Max

from appointments import answers
from appointments.models import Appointment, PublishedAnswer
from appointments.similarity.cached_index import CachedIndex
from zhoushan_consult.bureau.models import Officer

from .models import Assignment, AssignmentState
from .visibility import assignments_for

SHOWN = 3


@dataclass(frozen=True)
class Before:
    """Similar published answers and replies, each with the reason for the match."""

    published: list[tuple[PublishedAnswer, str]]
    replies: list[tuple[Assignment, str]]

    def __bool__(self):
        return bool(self.published or self.replies)


def _released():
    return Assignment.objects.filter(state=AssignmentState.RELEASED)


def _edition() -> tuple:
    return tuple(_released().aggregate(Count("pk"), Max("released_at")).values())


released_index = CachedIndex(_edition, lambda: _released().values_list("pk", "question"))


def before(appointment: Appointment, officer: Officer) -> Before:
    """Earlier answers to questions similar to this registration's, as far as `officer` may read them."""
    published = answers.similar(appointment.summary, SHOWN)
    return Before(published, list(_replies(appointment, officer)))


def _replies(appointment: Appointment, officer: Officer) -> Iterable[tuple[Assignment, str]]:
    found = released_index.search(appointment.summary, SHOWN * 3)
    readable = (
        assignments_for(officer)
        .exclude(appointment=appointment)
        .select_related("appointment", "division")
        .prefetch_related("replies")
    )
    rows = readable.in_bulk([match.key for match in found]) if found else {}
    return [(rows[match.key], match.why) for match in found if match.key in rows][:SHOWN]

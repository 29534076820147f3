"""What firms add: 综合处 gives a 补充问题 to a division, and looks into a 登记异议."""

from datetime import datetime

from django.db import transaction

from appointments import letters, seat_moves
from appointments.lifecycle import AWAITING_DAY, Stage
from appointments.models import IllegalMove, Objection, Supplement, Verdict
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Act

from . import assignment
from .assignment import AssignmentItem


@transaction.atomic
def assign(supplement: Supplement, item: AssignmentItem, *, by: Officer, at: datetime) -> None:
    """交办 of a further question. Raises IllegalMove where another officer was faster, and what `assignment.add` raises."""
    _handle(supplement, by=by, at=at)
    assignment.add(supplement.appointment, item, by=by, at=at)


@transaction.atomic
def note(supplement: Supplement, *, by: Officer, at: datetime) -> None:
    """The question is part of a 交办 already: nothing more need be given to a division. Raises IllegalMove."""
    _handle(supplement, by=by, at=at)


def _handle(supplement: Supplement, *, by: Officer, at: datetime) -> None:
    by.must(Act.ASSIGN)
    waiting = Supplement.objects.filter(pk=supplement.pk, handled_at=None)
    if not waiting.update(handled_at=at, handled_by=by):
        raise IllegalMove("这个补充问题已被他人处理，请刷新后查看。")
    record(Verb.SUPPLEMENT_HANDLED, supplement.appointment, by=by, at=at)


@transaction.atomic
def decide(objection: Objection, verdict: Verdict, gist: str, *, by: Officer, at: datetime) -> None:
    """The result of looking into an objection: the registration goes on, or is void and frees the firm's place.

    It answers every objection to this registration that is open now, for they ask the same.
    Raises IllegalMove where it is decided already, or the registration is too far to be void.
    """
    by.must(Act.REVIEW)
    firm, decided = (
        objection.appointment,
        {"verdict": verdict, "gist": gist, "decided_by": by, "decided_at": at},
    )
    if not Objection.objects.filter(pk=objection.pk, verdict="").update(**decided):
        raise IllegalMove("这件异议已经核实，请刷新后查看。")
    Objection.objects.filter(appointment=firm, verdict="").update(**decided)
    record(Verb.OBJECTION_DECIDED, firm, by=by, at=at, verdict=verdict)
    if verdict != Verdict.VOID or firm.stage == Stage.WITHDRAWN:
        return
    if firm.stage not in AWAITING_DAY:
        raise IllegalMove("这条登记已经答复或办结，不能作废。请选“继续办理”，并在核实经过里写明。")
    seat_moves.leave(
        firm, Stage.WITHDRAWN, "经核实，不是该企业的登记，作废", by=by, at=at, priority_since=None
    )
    seat_moves.return_priority(firm, by=by, at=at)
    letters.write("booking_voided", firm, at=at)

"""What a change of the rules would move: among the golden cases, what people taught, and a year of registrations."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from appointments.models import Appointment
from triage.models import Lesson, RoutingLesson
from triage.routing import topic_files
from triage.routing.classifier import Precedent
from triage.routing.router import RuleBook
from triage.routing.topic import DIVISIONS, MANUAL, SCOPES

A_YEAR = timedelta(days=365)
LOOKED_AT = 2000  # registrations at the most, the newest first: a few seconds' work


@dataclass(frozen=True)
class Figures:
    """How well a book answers labelled texts."""

    cases: int
    right: int
    routed: int
    routed_right: int

    @property
    def summary(self) -> str:
        alone = f"自行分办 {self.routed} 条，其中正确 {self.routed_right} 条"
        return f"{self.cases} 条标准例中，处室正确 {self.right} 条；{alone}"


@dataclass(frozen=True)
class Move:
    """A text that the change would send elsewhere. `worse`: away from what its label says, None where it has none."""

    kind: str
    text: str
    old: str
    new: str
    worse: bool | None = None
    appointment: int | None = None


@dataclass(frozen=True)
class Effects:
    """What changes between two books."""

    before: Figures
    after: Figures
    moves: tuple[Move, ...]
    looked_at: int
    passed_over: int

    def as_figures(self) -> dict:
        return {"before": asdict(self.before), "after": asdict(self.after), "moved": len(self.moves)}


def of(old: RuleBook, new: RuleBook, now: datetime) -> Effects:
    """Everything that `new` would judge otherwise than `old`."""
    labelled = [("标准例", case) for case in topic_files.golden()]
    labelled += [("复核例", case) for case in _taught()]
    year = Appointment.objects.filter(submitted_at__gte=now - A_YEAR)
    rows = list(year.order_by("-submitted_at").values_list("pk", "summary", "enterprise_name")[:LOOKED_AT])
    moves = [*_moved_cases(labelled, old, new), *_moved_registrations(rows, old, new)]
    cases = [case for _, case in labelled]
    return Effects(
        figures(old, cases), figures(new, cases), tuple(moves), len(rows), year.count() - len(rows)
    )


def figures(book: RuleBook, cases: Iterable[Precedent]) -> Figures:
    results = [(case, book.route(case.text).primary) for case in cases]
    routed = [(case, lead) for case, lead in results if lead != MANUAL]
    return Figures(
        len(results),
        sum(lead == _lead_of(case) for case, lead in results),
        len(routed),
        sum(lead == _lead_of(case) for case, lead in routed),
    )


def _taught() -> Iterable[Precedent]:
    taught = RoutingLesson.objects.filter(lesson=Lesson.CASE).order_by("pk")
    return (Precedent(text, code) for text, code in taught.values_list("text", "division__code"))


def _lead_of(case: Precedent) -> str:
    """A case that is not ours has no division: it should stay with a person."""
    return case.answer if case.answer in DIVISIONS else MANUAL


def _moved_cases(labelled, old: RuleBook, new: RuleBook) -> Iterable[Move]:
    for kind, case in labelled:
        was, is_now = old.route(case.text), new.route(case.text)
        if _named(was) != _named(is_now):
            worse = was.primary == _lead_of(case) != is_now.primary
            yield Move(kind, case.text, _named(was), _named(is_now), worse)


def _moved_registrations(rows, old: RuleBook, new: RuleBook) -> Iterable[Move]:
    for pk, summary, firm in rows:
        was, is_now = (_named(book.route(summary, firm)) for book in (old, new))
        if was != is_now:
            yield Move("登记", summary, was, is_now, appointment=pk)


def _named(decision) -> str:
    """水处（大气处协办）; 人工; 信访投诉."""
    if decision.scope not in ("in", "unclear"):
        return SCOPES[decision.scope]
    co = "、".join(DIVISIONS[code] for code in decision.co)
    return f"{DIVISIONS[decision.primary]}（{co}协办）" if co else DIVISIONS[decision.primary]

"""What a change of the rules would move: among the golden cases, the reviewed cases, and a year of registrations."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from appointments.models import Appointment
from triage.models import Lesson, RoutingLesson
from triage.routing.decision import Decision
from triage.routing.labelled_texts import LabelledText, golden_cases
from triage.routing.router import Router
from triage.routing.topic import DIVISIONS, MANUAL, SCOPES

A_YEAR = timedelta(days=365)
# At most this many registrations, the newest first. Each is judged twice at about 1 ms (make bench), so the preview of
# an edit takes a few seconds.
MAX_REGISTRATIONS = 2000


@dataclass(frozen=True)
class Accuracy:
    """How well a router answers labelled texts. `routed`: texts that it gave to a division by itself."""

    # The field names are keys of stored figures (RuleVersion.figures): do not rename them.
    cases: int
    right: int
    routed: int
    routed_right: int

    @property
    def summary(self) -> str:
        routed = f"自行分办 {self.routed} 条，其中正确 {self.routed_right} 条"
        return f"{self.cases} 条标准例中，处室正确 {self.right} 条；{routed}"


@dataclass(frozen=True)
class Move:
    """A text that the change would send elsewhere.

    `worse`: away from the division of its label; None if it has no label. `appointment`: the key of a registration.
    """

    kind: str
    text: str
    old: str
    new: str
    worse: bool | None = None
    appointment: int | None = None


@dataclass(frozen=True)
class Impact:
    """What changes between two routers. `checked` and `skipped` count registrations of the last year."""

    before: Accuracy
    after: Accuracy
    moves: tuple[Move, ...]
    checked: int
    skipped: int

    def as_figures(self) -> dict:
        return {"before": asdict(self.before), "after": asdict(self.after), "moved": len(self.moves)}


def measure(old: Router, new: Router, now: datetime) -> Impact:
    """Everything that `new` would judge differently from `old`."""
    labelled = [("标准例", case) for case in golden_cases()]
    labelled += [("复核例", case) for case in _reviewed_cases()]
    year = Appointment.objects.filter(submitted_at__gte=now - A_YEAR)
    # `skipped` tells the officer how many older ones were not checked.
    newest = year.order_by("-submitted_at").values_list("pk", "summary", "enterprise_name")
    rows = list(newest[:MAX_REGISTRATIONS])
    moves = [*_moved_cases(labelled, old, new), *_moved_registrations(rows, old, new)]
    cases = [case for _, case in labelled]
    return Impact(
        accuracy(old, cases), accuracy(new, cases), tuple(moves), len(rows), year.count() - len(rows)
    )


def accuracy(router: Router, cases: Iterable[LabelledText]) -> Accuracy:
    results = [(case, router.route(case.text).primary) for case in cases]
    routed = [(case, lead) for case, lead in results if lead != MANUAL]
    return Accuracy(
        len(results),
        sum(lead == _right_division(case) for case, lead in results),
        len(routed),
        sum(lead == _right_division(case) for case, lead in routed),
    )


def _reviewed_cases() -> Iterable[LabelledText]:
    """The cases that 综合处 added in the monthly review."""
    lessons = RoutingLesson.objects.filter(lesson=Lesson.CASE).order_by("pk")
    return (LabelledText(text, code) for text, code in lessons.values_list("text", "division__code"))


def _right_division(case: LabelledText) -> str:
    """A case out of scope has no division: it should stay with a person."""
    return case.label if case.label in DIVISIONS else MANUAL


def _moved_cases(labelled: Iterable[tuple[str, LabelledText]], old: Router, new: Router) -> Iterable[Move]:
    for kind, case in labelled:
        before, after = old.route(case.text), new.route(case.text)
        if _named(before) != _named(after):
            worse = before.primary == _right_division(case) != after.primary
            yield Move(kind, case.text, _named(before), _named(after), worse)


def _moved_registrations(rows: Iterable[tuple[int, str, str]], old: Router, new: Router) -> Iterable[Move]:
    for pk, summary, firm in rows:
        before, after = (_named(router.route(summary, firm)) for router in (old, new))
        if before != after:
            yield Move("登记", summary, before, after, appointment=pk)


def _named(decision: Decision) -> str:
    """水处（大气处协办）; 人工; 信访投诉."""
    if decision.scope not in ("in", "unclear"):
        return SCOPES[decision.scope]
    co = "、".join(DIVISIONS[code] for code in decision.co)
    return f"{DIVISIONS[decision.primary]}（{co}协办）" if co else DIVISIONS[decision.primary]

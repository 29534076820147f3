"""Long lists, a page at a time, and how many wait in each of them."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from .deadlines import Today

PAGE = 20  # rows
NOT_NEEDED = ("appointment__id_number", "appointment__id_index", "appointment__email", "appointment__summary")
"""What no list shows, and so no list reads."""


@dataclass(frozen=True)
class RowCount:
    """How many there are, and how many of them are past their term."""

    all: int = 0
    late: int = 0

    def __add__(self, other: "RowCount") -> "RowCount":
        return RowCount(self.all + other.all, self.late + other.late)


NO_ROWS = RowCount()


def count_by(rows: QuerySet, by: str, today: Today) -> dict[str | int, RowCount]:
    """The rows count_by by the values of one column, in one query."""
    late = Count("pk", filter=Q(due_on__lt=today.day))
    found = rows.order_by().values_list(by).annotate(all=Count("pk"), late=late)
    return {value: RowCount(count, late) for value, count, late in found}


def paginate(rows: QuerySet, request: HttpRequest, count: int | None = None) -> Page:
    """The page that the address asks for, or the nearest there is; a `count` already known is not asked."""
    paginator = Paginator(rows, PAGE)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(request.GET.get("page"))
    page.numbers = list(paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
    return page

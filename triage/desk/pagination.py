"""Pages of a list, and the counts in its tabs."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from .deadlines import Today

# Rows of a page.
PAGE_SIZE = 20
# Columns that no list of the desk shows. The personal ones are encrypted: reading them would cost time.
NOT_NEEDED = ("appointment__id_number", "appointment__id_index", "appointment__email", "appointment__summary")


@dataclass(frozen=True)
class RowCount:
    """How many rows there are, and how many of them are past their deadline."""

    all: int = 0
    late: int = 0

    def __add__(self, other: "RowCount") -> "RowCount":
        return RowCount(self.all + other.all, self.late + other.late)


NO_ROWS = RowCount()


def count_by(rows: QuerySet, by: str, today: Today) -> dict[str | int, RowCount]:
    """The counts for each value of the column `by`, in one query. A value without rows is missing."""
    late = Count("pk", filter=Q(due_on__lt=today.day))
    # `order_by()` drops the ordering of the queryset, whose columns would otherwise join the GROUP BY.
    found = rows.order_by().values_list(by).annotate(all=Count("pk"), late=late)
    return {value: RowCount(count, late) for value, count, late in found}


def paginate(rows: QuerySet, request: HttpRequest, count: int | None = None) -> Page:
    """The page that `?page=` asks for, or the nearest one. A known `count` saves a query."""
    paginator = Paginator(rows, PAGE_SIZE)
    if count is not None:
        paginator.count = count
    page = paginator.get_page(request.GET.get("page"))
    page.numbers = list(paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1))
    return page

"""/answers/: the 公开答复, which anyone can search and read (五（二）)."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from zhoushan_consult.bureau.models import Division

from .. import answers
from ..models import Publicity, PublishedAnswer
from ..topics import TopicChoice

PAGE_SIZE = 20
# Characters of a search: enough for a question in one sentence.
MAX_QUERY_LENGTH = 100
# A draft is for officers only. Withdrawn and superseded answers stay readable at their address.
_SHOWN = (Publicity.PUBLISHED, Publicity.WITHDRAWN, Publicity.SUPERSEDED)


class SearchForm(forms.Form):
    """Search text and filters, from the address. A choice that does not exist is ignored: old links must not fail."""

    q = forms.CharField(label="找什么", required=False, max_length=MAX_QUERY_LENGTH)
    division = forms.ChoiceField(label="答复处室", required=False)
    topic = forms.ChoiceField(label="事项类别", required=False, choices=[("", "全部"), *TopicChoice.choices])

    def __init__(self, data):
        super().__init__(data, auto_id="find_%s")
        divisions = Division.objects.values_list("code", "name")
        self.fields["division"].choices = [("", "全部"), *divisions]
        self.full_clean()

    @property
    def filters(self) -> dict:
        """The valid fields that are not empty."""
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The list, searched and filtered."""
    form = SearchForm(request.GET)
    filters = form.filters
    # A text that is too long stays in its box, with the reason. Nothing is found, because nothing was searched.
    found = PublishedAnswer.objects.none() if form.has_error("q") else answers.search(filters.get("q", ""))
    if "division" in filters:
        found = found.filter(division__code=filters["division"])
    if "topic" in filters:
        found = found.filter(topic=filters["topic"])
    # For the links to other pages: the same search without the page number.
    params = request.GET.copy()
    params.pop("p", None)
    context = {
        "form": form,
        "filters": filters,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("p")),
        "query": params.urlencode(),
    }
    return render(request, "appointments/answers.html", context)


@require_safe
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """One answer. A withdrawn or replaced one says so, because other sites and letters still link to it."""
    shown = PublishedAnswer.objects.select_related("division").filter(state__in=_SHOWN)
    return render(request, "appointments/answer.html", {"answer": get_object_or_404(shown, pk=number)})

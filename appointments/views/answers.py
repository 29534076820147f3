"""/answers/: what was answered before, to be searched and read by anyone (五（二）)."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from zhoushan_consult.bureau.models import Division

from .. import answers
from ..models import Publicity, PublishedAnswer
from ..topics import TopicChoice

PAGE = 20
LONGEST = 100
_SHOWN = (Publicity.PUBLISHED, Publicity.WITHDRAWN, Publicity.SUPERSEDED)


class SearchForm(forms.Form):
    """Whatever is asked for; a choice that does not exist is as if it were not made."""

    q = forms.CharField(label="找什么", required=False, max_length=LONGEST)
    division = forms.ChoiceField(label="答复处室", required=False)
    topic = forms.ChoiceField(label="事项类别", required=False, choices=[("", "全部"), *TopicChoice.choices])

    def __init__(self, data):
        super().__init__(data, auto_id="find_%s")
        divisions = Division.objects.values_list("code", "name")
        self.fields["division"].choices = [("", "全部"), *divisions]
        self.full_clean()

    @property
    def asked(self) -> dict:
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    asked = form.asked
    found = answers.search(asked.get("q", ""))
    if "division" in asked:
        found = found.filter(division__code=asked["division"])
    if "topic" in asked:
        found = found.filter(topic=asked["topic"])
    kept = request.GET.copy()
    kept.pop("p", None)
    context = {"form": form, "asked": asked, "page": Paginator(found, PAGE).get_page(request.GET.get("p")), "query": kept.urlencode()}  # fmt: skip
    return render(request, "appointments/answers.html", context)


@require_safe
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """One answer; one that was withdrawn or replaced says so, for links to it stand in other places."""
    shown = PublishedAnswer.objects.select_related("division").filter(state__in=_SHOWN)
    return render(request, "appointments/answer.html", {"answer": get_object_or_404(shown, pk=number)})

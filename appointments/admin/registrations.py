"""预约登记 as a list with filters and search, and 代企业登记. The screen of a registration is in `triage.admin`."""

from datetime import datetime

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from sessions_app import calendar
from sessions_app.models import ConsultDay
from zhoushan_consult.bureau.actions import may
from zhoushan_consult.bureau.models import Area
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date
from zhoushan_consult.identity.mask import mask_name

from .. import form_token, staff_entry
from ..forms import EntryForm, areas
from ..lifecycle import LIVE, Stage
from ..models import Appointment, Channel
from ..search import LONGEST, safe_to_echo, search

# Values of the filters, as they stand in addresses.
IN_HAND, ALL = "live", "all"
# The latest two years; older registrations are found by search.
DAYS_OFFERED = 24


class CappedPaginator(Paginator):
    """Counts at most `max_count` rows. No officer opens page 200, and COUNT(*) over a million rows takes seconds."""

    max_count = 10_000

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: self.max_count].count()


class ListForm(forms.Form):
    """The filters of the list. By default: registrations in hand for the coming 咨询日.

    It validates at once, because the filters come from the address and are never shown with errors.
    """

    stage = forms.ChoiceField(label="办理阶段", required=False)
    day = forms.ChoiceField(label="咨询日", required=False)
    area = forms.ChoiceField(label="县区或功能区", required=False)
    channel = forms.ChoiceField(label="来源", required=False, choices=[("", "全部"), *Channel.choices])

    def __init__(self, data, *, now: datetime):
        self.coming = calendar.current_day(now)
        # A filter that the address does not name has its default.
        data = {"stage": IN_HAND, "day": calendar.slug(self.coming)} | data.dict()
        super().__init__(data, auto_id="filter_%s")
        self.fields["stage"].choices = [(IN_HAND, "在办"), (ALL, "全部"), *Stage.choices]
        self.fields["day"].choices = [
            (calendar.slug(self.coming), f"本期 {calendar.short(self.coming)}"),
            *self._days(),
        ]
        self.fields["area"].choices = [("", "全部"), *((area.code, area.name) for area in Area.objects.all())]
        self.full_clean()

    def _days(self) -> list[tuple[str, str]]:
        """All, then the latest days that have a plan; the coming one stands before them."""
        dates = ConsultDay.objects.exclude(date=self.coming).values_list("date", flat=True)
        return [
            (ALL, "全部"),
            *((calendar.slug(date), f"{date.year}年{calendar.short(date)}") for date in dates[:DAYS_OFFERED]),
        ]

    def among(self, rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
        """Those of `rows` that pass the filters. A choice that does not exist filters nothing."""
        data = self.cleaned_data
        stage, day = data.get("stage", ALL), calendar.parse_slug(data.get("day", ""))
        filters = {"stage__in": LIVE} if stage == IN_HAND else {"stage": stage} if stage in Stage else {}
        filters |= {"day__date": day} if day else {}
        filters |= {"area__code": data["area"]} if data.get("area") else {}
        filters |= {"channel": data["channel"]} if data.get("channel") else {}
        return rows.filter(**filters)


def _entry_form(now: datetime, data=None) -> EntryForm:
    days = staff_entry.days_to_join(now)
    # Two days to choose from mean that the first is closed to the public: joining it is a 补录.
    return EntryForm(data, now=now, areas=areas(), days=days, late=days[0] if len(days) > 1 else None)


class AppointmentAdmin(RecordAdmin):
    """The list. A search is a POST: an ID number or phone in an address would stay in logs and browser histories."""

    see = Act.READ_ALL
    list_form = ListForm
    list_template = "admin/appointment/list.html"

    def changelist_view(self, request, extra_context=None):
        """GET shows the filtered list; POST with `q` shows the first page of a search in all registrations."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        form = self.list_form(request.GET, now=now)
        # None: no search. Empty: a search without text, which finds nothing.
        search_text = request.POST.get("q", "")[:LONGEST] if request.method == "POST" else None
        rows = self.get_queryset(request).select_related("day", "area")
        if search_text is None:
            found, number = form.among(rows), request.GET.get("p")
        else:
            # One page only: the next would need a link, and so the search text in an address.
            found, number = search(rows, search_text, today=local_date(now)), 1
        page = CappedPaginator(found, self.list_per_page).get_page(number)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.opts.verbose_name_plural,
            "form": form,
            "search_text": search_text and safe_to_echo(search_text),
            "page": page,
            "rows": [(row, mask_name(row.contact_name)) for row in page],
            "query": self._filters_query(request),
        }
        return TemplateResponse(request, self.list_template, context)

    # --- 代企业登记 --------------------------------------------------------------------------------------------------
    def has_add_permission(self, request) -> bool:
        return may(request, Act.REVIEW)

    def get_urls(self):
        # Before Django's own patterns, whose last one matches every address.
        received = self.admin_site.admin_view(self.received)
        return [path("<int:pk>/received/", received, name=self._url_name("received")), *super().get_urls()]

    def add_view(self, request, form_url="", extra_context=None):
        """An officer enters a firm that telephoned or was visited. After each refusal the form shows what was typed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        now = timezone.now()
        if request.method != "POST":
            return self._entry_page(request, now, _entry_form(now))
        typed_token = request.POST.get("form_token", "")
        form, token = _entry_form(now, request.POST), form_token.read(request, typed_token)
        if token is None:
            return self._entry_page(
                request, now, form, "这一页放得太久，还没有登记。内容都在，请再点一次。", 403
            )
        if not form.is_valid():
            return self._entry_page(request, now, form)
        try:
            appointment = staff_entry.enter(
                form.registration(),
                key=token.key,
                day=form.cleaned_data["day"],
                source=form.entry(request.user),
                at=now,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
            return self._entry_page(request, now, form, status=refusal.status)
        return redirect(self.address(appointment, "received"))

    def _entry_page(self, request, now: datetime, form, notice: str = "", status: int = 200):
        # The same token again where it is valid: its key recognises a form that is sent twice.
        token = request.POST.get("form_token", "")
        token = token if form_token.read(request, token) else ""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "代企业登记",
            "form": form,
            "notice": notice,
            "form_token": token or form_token.issue(request, calendar.booking_day(now)),
        }
        return TemplateResponse(request, "admin/appointment/enter.html", context, status=status)

    @method_decorator(require_safe)
    def received(self, request, pk: int):
        """The receipt of a 代企业登记, which the officer reads out to the firm."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        # The receipt of an online registration is for the firm alone.
        entered = self.get_queryset(request).select_related("day").exclude(channel=Channel.ONLINE)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "登记已收到",
            "record": get_object_or_404(entered, pk=pk),
        }
        return TemplateResponse(request, "admin/appointment/received.html", context)

    @staticmethod
    def _filters_query(request) -> str:
        """The query string of the filters without the page number, for the links to other pages."""
        params = request.GET.copy()
        params.pop("p", None)
        return params.urlencode()

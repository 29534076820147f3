"""活动方案 in the admin (六（一）). `triage.admin` adds the 现场名单 and registers it."""

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, prefetch_related_objects
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from zhoushan_consult.bureau.actions import Action, may
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.roles import Act

from . import planning, preparing
from .days import day_on
from .forms import NewDayForm, PlanForm, RemarkForm, VersionForm
from .models import ConsultDay, Plan, Reception


def plan_is(*plans: Plan):
    """A condition for `Action.offered` and `Action.opened`: the plan is in one of these states, and its day not over."""
    return lambda day: day.plan in plans and planning.is_ahead(day, timezone.now())


def _can_be_copied(day: ConsultDay) -> bool:
    is_open = plan_is(*planning.EDITABLE)(day)
    return is_open and preparing.has_blanks(day) and preparing.last_published(day) is not None


def _can_be_submitted(day: ConsultDay) -> bool:
    return plan_is(*planning.EDITABLE)(day) and not planning.missing_texts(day)


def _edit(day: ConsultDay, form: PlanForm, **who):
    planning.edit(day, form.rows.made(), **form.cleaned_data, **who)


def _copy(day: ConsultDay, form, **who):
    preparing.copy_last(day, **who)


# The names are addresses, so they stay. `**who` is by=officer and at=instant.
ACTIONS = (
    Action(
        name="edit",
        title="拟订方案",
        act=Act.PLAN,
        form=PlanForm,
        do=_edit,
        offered=plan_is(*planning.EDITABLE),
        opened=plan_is(*planning.EDITABLE),
        button="保存方案",
        done="方案已保存。",
        template="admin/day/plan_action.html",
    ),
    Action(
        name="copy_last",
        title="照上期方案填写",
        act=Act.PLAN,
        do=_copy,
        offered=_can_be_copied,
        button="照上期填写空白处",
        done="空白处已照上期方案填写，请核对后送审。",
        hint="只填还空着的内容，已经填写的不会改动。每月15日系统也会为没有动过的方案自动填好。",
    ),
    Action(
        name="submit",
        title="送局领导审核",
        act=Act.PLAN,
        form=VersionForm,
        do=lambda day, form, **who: planning.submit(form.plan_as_read(), **who),
        offered=_can_be_submitted,
        opened=_can_be_submitted,
        button="送审",
        done="已送局领导审核，并已通知局领导。",
        hint="送审的是已保存的方案。送审后不能再改，需修改时由局领导退回。",
    ),
    Action(
        name="approve",
        title="审核同意并公布",
        act=Act.APPROVE_PLAN,
        form=VersionForm,
        do=lambda day, form, **who: planning.approve(form.plan_as_read(), **who),
        offered=plan_is(Plan.SUBMITTED),
        opened=plan_is(Plan.SUBMITTED),
        button="同意并公布",
        done="方案已在门户公布，并已通知综合处。",
        hint="同意后立即在门户“企业环保咨询日”板块公布。",
    ),
    Action(
        name="send_back",
        title="退回修改",
        act=Act.APPROVE_PLAN,
        form=RemarkForm,
        do=lambda day, form, **who: planning.send_back(
            form.plan_as_read(), form.cleaned_data["remark"], **who
        ),
        offered=plan_is(Plan.SUBMITTED),
        button="退回综合处",
        done="方案已退回综合处修改，并已通知综合处。",
        danger=True,
    ),
)


class ConsultDayAdmin(RecordAdmin):
    """Each 咨询日 with its plan: a list, and a screen with the actions of 综合处 and 局领导."""

    see = Act.READ_ALL
    record_actions = ACTIONS
    screen_template = "admin/day/screen.html"
    list_display = ["date", "theme", "place", "plan", "settled_at"]
    list_filter = ["plan"]

    def get_object(self, request, object_id, from_field=None):
        day = super().get_object(request, object_id, from_field)
        if day:
            # The screen and three forms read them: without the prefetch, each would query once more.
            people = Reception.objects.select_related("division", "area")
            prefetch_related_objects([day], Prefetch("receptions", people))
        return day

    def facts(self, request, record: ConsultDay) -> dict:
        """The 接待人员, what was changed after publication, and what is wanted before 送审."""
        wanted = planning.missing_texts(record) if plan_is(*planning.EDITABLE)(record) else []
        return {
            "wanted": [record._meta.get_field(name).verbose_name for name in wanted],
            "receptions": record.receptions.all(),
            "changes": record.changes.select_related("by"),
        }

    def has_add_permission(self, request) -> bool:
        return may(request, Act.PLAN)

    def add_view(self, request, form_url="", extra_context=None):
        """Create a 咨询日 with its seats. The plan is then written on its screen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewDayForm(request.POST if request.method == "POST" else None, now=timezone.now())
        if form.is_bound and form.is_valid():
            return redirect(self.address(day_on(form.chosen())))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "新的一期活动方案",
            "form": form,
        }
        return TemplateResponse(request, "admin/day/add.html", context)

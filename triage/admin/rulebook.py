"""分办规则 in the admin: topics, what an edit would move, versions, 试一试, and the monthly review (五（一）)."""

from datetime import date, datetime

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from sessions_app.calendar import parse_slug, slug
from triage.models import RuleVersion
from triage.routing.clause_leads import contradiction
from triage.routing.topic import DIVISIONS, LAYERS
from triage.routing.validation import validate
from triage.rulebook import explanation, hit_rates, impact, monthly_review, versions
from triage.rulebook.forms import LessonForm, TopicForm, TrialForm
from triage.rulebook.impact import Impact
from triage.rulebook.versions import Rule, Rules
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date

# A preview of an edit lists at most this many texts; more could not be read before saving.
MAX_MOVES_SHOWN = 60
# Fields that hold several words; a change of one shows what was added and what was removed.
WORD_FIELDS = ("include", "together", "hints", "exclude", "gives_way_to", "support")
LABELS = {name: str(field.label) for name, field in TopicForm.base_fields.items()}


@admin.register(RuleVersion)
class RulesAdmin(RecordAdmin):
    """The list shows the newest version. A version is never changed: each edit saves a new one."""

    see = Act.RULES

    def has_add_permission(self, request) -> bool:
        return False

    def get_urls(self):
        views = {
            "topics/": ("new_topic", self.topic),
            "topics/<str:code>/": ("topic", self.topic),
            "trial/": ("trial", self.trial),
            "versions/": ("versions", self.versions),
            "versions/<int:number>/": ("version", self.version),
            "review/": ("review", self.review),
            "review/<int:pk>/": ("lesson", self.lesson),
        }
        own_urls = [
            path(route, self.admin_site.admin_view(self._guarded(view)), name=self._url_name(name))
            for route, (name, view) in views.items()
        ]
        return [*own_urls, *super().get_urls()]

    def _guarded(self, view):
        # The custom pages do not pass through ModelAdmin's own permission checks.
        def guarded(request, **arguments):
            request.user.must(Act.RULES)
            return view(request, **arguments)

        return guarded

    def _page(self, request, template: str, title: str, status: int = 200, **context) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/rules/{template}.html", shared | context, status=status)

    def _url(self, name: str = "changelist", *args) -> str:
        return reverse(f"admin:{self._url_name(name)}", args=args)

    # --- 事项 ----------------------------------------------------------------------------------------------------------
    def changelist_view(self, request, extra_context=None):
        request.user.must(Act.RULES)
        number, rules = versions.newest()
        layers = [
            (name, [(rule, contradiction(rule.topic)) for rule in rules if rule.topic.layer == layer])
            for layer, (name, _) in LAYERS.items()
        ]
        version = RuleVersion.objects.select_related("by").filter(number=number).first()
        return self._page(request, "topics", "分办规则", layers=layers, version=version, divisions=DIVISIONS)

    def topic(self, request: HttpRequest, code: str = "") -> HttpResponse:
        """Edit a topic. What the change would move is shown before it can be saved."""
        number, rules = versions.newest()
        rule = next((each for each in rules if each.topic.code == code), None)
        if code and rule is None:
            raise Http404
        form = TopicForm(request.POST if request.method == "POST" else None, rule=rule, rules=rules)
        context = {"form": form, "rule": rule, "base": request.POST.get("base", number)}
        if not (form.is_bound and form.is_valid()):
            return self._topic_page(request, warning=rule and contradiction(rule.topic), **context)
        changed = form.edited_rule()
        context["warning"] = contradiction(changed.topic)
        edited = versions.replace_rule(rules, changed, code)
        faults = validate(each.topic for each in edited)
        if faults:
            return self._topic_page(request, faults=faults, **context)
        now = timezone.now()
        moved = _impact(rules, edited, now)
        if request.POST.get("step") != "save":
            return self._topic_page(request, impact=moved, **context)
        return self._save(request, edited, form.cleaned_data["remark"], moved, now, context)

    def _save(self, request, edited: Rules, remark: str, moved: Impact, now: datetime, context: dict):
        try:
            # `base` travels with the form, so two officers who edit at the same time do not overwrite each other.
            base = int(request.POST.get("base", ""))
            versions.save(edited, remark, moved.as_figures(), base=base, by=request.user, at=now)
        except (Refused, ValueError) as refusal:
            refused = str(refusal) if isinstance(refusal, Refused) else str(versions.ChangedByAnother())
            # What was typed stays on the page; the next click is compared with the version that is newest now.
            context["base"] = versions.newest()[0]
            return self._topic_page(request, refused=refused, impact=moved, status=409, **context)
        messages.success(request, "规则已保存为新的一版，一分钟内在各处生效。")
        return redirect(self._url())

    def _topic_page(self, request, *, rule: Rule | None, status: int = 200, **context) -> HttpResponse:
        title = rule.topic.name if rule else "增加事项"
        moved = context.get("impact")
        moves = moved.moves[:MAX_MOVES_SHOWN] if moved else ()
        return self._page(request, "topic", title, status, rule=rule, moves=moves, **context)

    # --- 试一试 --------------------------------------------------------------------------------------------------------
    def trial(self, request: HttpRequest) -> HttpResponse:
        form, decision = TrialForm(request.POST if request.method == "POST" else None), None
        if form.is_bound and form.is_valid():
            router = versions.active_router(timezone.now())
            decision = router.route(form.cleaned_data["text"], form.cleaned_data["firm"])
        context = {"form": form, "decision": decision}
        if decision:
            context |= {
                "suggested": explanation.division_names(decision),
                "marked": explanation.marked(form.cleaned_data["text"], decision),
                "grounds": explanation.grounds(decision),
            }
        return self._page(request, "trial", "试一试", **context)

    # --- 修改记录 ------------------------------------------------------------------------------------------------------
    def versions(self, request: HttpRequest) -> HttpResponse:
        return self._page(
            request, "versions", "修改记录", versions=RuleVersion.objects.select_related("by")[:100]
        )

    def version(self, request: HttpRequest, number: int) -> HttpResponse:
        """What one version changed. POST makes its rules the newest version again. Number 0 is the shipped one."""
        rows = RuleVersion.objects.select_related("by")
        version = get_object_or_404(rows, number=number) if number else None
        rules = versions.rules_of(version) if version else versions.shipped_rules()
        newest, active = versions.newest()
        if request.method == "POST":
            return self._restore(request, number, rules, newest, active)
        earlier = RuleVersion.objects.filter(number=number - 1).first()
        before = versions.rules_of(earlier) if earlier else versions.shipped_rules()
        changes = list(_changes(before, rules)) if version else []
        title = f"第{number}版" if version else "随系统提供的一版"
        return self._page(
            request, "version", title, version=version, changes=changes, number=number, newest=newest
        )

    def _restore(self, request, number: int, rules: Rules, newest: int, active: Rules) -> HttpResponse:
        now = timezone.now()
        title = f"恢复到第{number}版" if number else "恢复到随系统提供的一版"
        moved = _impact(active, rules, now)
        try:
            versions.save(rules, title, moved.as_figures(), base=newest, by=request.user, at=now)
        except (Refused, ValidationError) as refusal:
            messages.error(request, " ".join(getattr(refusal, "messages", [str(refusal)])))
        else:
            messages.success(request, f"已{title}，存为第{newest + 1}版。")
        return redirect(self._url("versions"))

    # --- 每月复核 ------------------------------------------------------------------------------------------------------
    def review(self, request: HttpRequest) -> HttpResponse:
        return self._review_page(request, _month(request))

    def _review_page(self, request, month: date, bound: LessonForm | None = None, pk: int = 0):
        """`bound`: the form of the row `pk`, with its errors."""
        rows = [
            (row, bound if row.pk == pk and bound else LessonForm(assignment=row))
            for row in monthly_review.overridden(month)
        ]
        table = hit_rates.compute(timezone.now())
        return self._page(
            request,
            "review",
            "每月规则复核",
            rows=rows,
            month=month,
            months=[(slug(each), each) for each in reversed(table.months)],
            chosen=slug(month),
            table=table,
            bars=_bars(table),
        )

    def lesson(self, request: HttpRequest, pk: int) -> HttpResponse:
        month = _month(request)
        row = get_object_or_404(monthly_review.overridden(month), pk=pk)
        back = f"{self._url('review')}?month={slug(month)}"
        if request.method != "POST":
            return redirect(back)
        actor = {"by": request.user, "at": timezone.now()}
        if request.POST.get("lesson") == "fine":
            return self._reviewed(request, back, "已记为无需改规则。", monthly_review.dismiss, row, **actor)
        form = LessonForm(request.POST, assignment=row)
        if form.is_valid():
            done = "已列为标准例，以后每次改规则都用它核对。"
            arguments = form.cleaned_data | actor
            try:
                return self._reviewed(request, back, done, monthly_review.add_golden_case, row, **arguments)
            except ValidationError as invalid:
                form.add_error(None, invalid)
        return self._review_page(request, month, form, pk)

    @staticmethod
    def _reviewed(request, back: str, done: str, action, row, **arguments) -> HttpResponse:
        try:
            action(row, **arguments)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return redirect(back)


def _impact(before: Rules, after: Rules, now: datetime) -> Impact:
    """What the change would move. Each from-date counts as reached: an edit is judged by what it will do."""
    day = date.max
    return impact.measure(versions.build_router(before, day), versions.build_router(after, day), now)


def _month(request: HttpRequest) -> date:
    asked = parse_slug(request.GET.get("month", ""))
    return (asked or local_date(timezone.now())).replace(day=1)


def _changes(before: Rules, after: Rules):
    """Each topic that differs: its name, the kind of change, and field by field what was added and removed."""
    old = {rule.topic.code: versions.as_json(rule) for rule in before}
    new = {rule.topic.code: versions.as_json(rule) for rule in after}
    for code in dict.fromkeys([*old, *new]):
        if old.get(code) != new.get(code):
            name = (new.get(code) or old[code])["name"]
            kind = "增加" if code not in old else "去掉" if code not in new else "修改"
            yield name, kind, list(_fields(old.get(code, {}), new.get(code, {})))


def _fields(old: dict, new: dict):
    for field in LABELS:
        before, after = old.get(field, ""), new.get(field, "")
        if before != after and field not in ("code", "remark"):
            removed, added = _parts(field, before), _parts(field, after)
            yield (
                LABELS[field],
                [part for part in added if part not in removed],
                [part for part in removed if part not in added],
            )


def _parts(field: str, value) -> list[str]:
    if field == "on":
        return ["启用" if value else "停用"]
    if field == "together":
        return str(value).splitlines()
    return str(value).split() if field in WORD_FIELDS else [str(value)] if value else []


def _bars(table: hit_rates.HitRateTable) -> list[dict]:
    """The overall rate of each month as a bar of an SVG of 720 × 200. A rate of 100 % is 140 units high."""
    width = 720 // len(table.months)
    return [
        {
            "month": month,
            "percent": rate.percent,
            "x": index * width + 8,
            "width": width - 16,
            "middle": index * width + width // 2,
            "height": round(1.4 * (rate.percent or 0)),
            "y": 160 - round(1.4 * (rate.percent or 0)),
        }
        for index, (month, rate) in enumerate(zip(table.months, table.overall, strict=True))
    ]

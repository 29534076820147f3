"""分办规则 in the admin: topics, what an edit would move, versions, 试一试, and the monthly review (五（一）)."""

from datetime import date, datetime

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from sessions_app.calendar import SHANGHAI, parse_slug, slug
from triage.models import RuleVersion
from triage.routing import topic_files
from triage.routing.topic import DIVISIONS, LAYERS
from triage.rulebook import explanation, impact, monthly_review, versions
from triage.rulebook.forms import LessonForm, TopicForm, TrialForm
from triage.rulebook.impact import Effects
from triage.rulebook.versions import Rule, Rules
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

MOVES_SHOWN = 60
LISTED = ("include", "together", "hints", "exclude", "gives_way_to", "support")
LABELS = {name: str(field.label) for name, field in TopicForm.base_fields.items()}


@admin.register(RuleVersion)
class RulesAdmin(RecordAdmin):
    """The newest version is what the list shows; nothing is changed but by saving another one."""

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
        mine = [
            path(address, self.admin_site.admin_view(self._guarded(view)), name=self._url_name(name))
            for address, (name, view) in views.items()
        ]
        return [*mine, *super().get_urls()]

    def _guarded(self, view):
        def guarded(request, **found):
            request.user.must(Act.RULES)
            return view(request, **found)

        return guarded

    def _page(self, request, template: str, title: str, status: int = 200, **context) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"admin/rules/{template}.html", shared | context, status=status)

    def _to(self, name: str = "changelist", *args) -> str:
        return reverse(f"admin:{self._url_name(name)}", args=args)

    # --- 事项 ----------------------------------------------------------------------------------------------------------
    def changelist_view(self, request, extra_context=None):
        request.user.must(Act.RULES)
        number, book = versions.newest()
        layers = [
            (name, [rule for rule in book if rule.topic.layer == layer])
            for layer, (name, _) in LAYERS.items()
        ]
        version = RuleVersion.objects.select_related("by").filter(number=number).first()
        return self._page(request, "topics", "分办规则", layers=layers, version=version, divisions=DIVISIONS)

    def topic(self, request: HttpRequest, code: str = "") -> HttpResponse:
        """A topic to be edited: what the change would move is shown before it can be saved."""
        number, book = versions.newest()
        rule = next((each for each in book if each.topic.code == code), None)
        if code and rule is None:
            raise Http404
        form = TopicForm(request.POST if request.method == "POST" else None, rule=rule, book=book)
        shown = {"form": form, "rule": rule, "base": request.POST.get("base", number)}
        if not (form.is_bound and form.is_valid()):
            return self._topic_page(request, **shown)
        edited = versions.with_rule(book, form.made(), code)
        faults = topic_files.validate(each.topic for each in edited)
        if faults:
            return self._topic_page(request, faults=faults, **shown)
        now = timezone.now()
        moved = _effects(book, edited, now)
        if request.POST.get("step") != "save":
            return self._topic_page(request, effects=moved, **shown)
        return self._save(request, edited, form.cleaned_data["remark"], moved, now, shown)

    def _save(self, request, edited: Rules, remark: str, moved: Effects, now: datetime, shown: dict):
        try:
            base = int(request.POST.get("base", ""))
            versions.save(edited, remark, moved.as_figures(), base=base, by=request.user, at=now)
        except (Refused, ValueError) as refusal:
            refused = str(refusal) if isinstance(refusal, Refused) else str(versions.ChangedByAnother())
            shown["base"] = versions.newest()[0]
            return self._topic_page(request, refused=refused, effects=moved, status=409, **shown)
        messages.success(request, "规则已保存为新的一版，一分钟内在各处生效。")
        return redirect(self._to())

    def _topic_page(self, request, *, rule: Rule | None, status: int = 200, **shown) -> HttpResponse:
        title = rule.topic.name if rule else "增加事项"
        moved = shown.get("effects")
        moves = moved.moves[:MOVES_SHOWN] if moved else ()
        return self._page(request, "topic", title, status, rule=rule, moves=moves, **shown)

    # --- 试一试 --------------------------------------------------------------------------------------------------------
    def trial(self, request: HttpRequest) -> HttpResponse:
        form, decision = TrialForm(request.POST if request.method == "POST" else None), None
        if form.is_bound and form.is_valid():
            decision = versions.in_force(timezone.now()).route(
                form.cleaned_data["text"], form.cleaned_data["firm"]
            )
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
        """What one version changed; POST makes its rules the newest version again. Number 0 is the shipped one."""
        version = (
            get_object_or_404(RuleVersion.objects.select_related("by"), number=number) if number else None
        )
        book = versions.rules_of(version) if version else versions.shipped()
        newest, current = versions.newest()
        if request.method == "POST":
            return self._restore(request, number, book, newest, current)
        earlier = RuleVersion.objects.filter(number=number - 1).first()
        before = versions.rules_of(earlier) if earlier else versions.shipped()
        changes = list(_changes(before, book)) if version else []
        title = f"第{number}版" if version else "随系统提供的一版"
        return self._page(
            request, "version", title, version=version, changes=changes, number=number, newest=newest
        )

    def _restore(self, request, number: int, book: Rules, newest: int, current: Rules) -> HttpResponse:
        now = timezone.now()
        title = f"恢复到第{number}版" if number else "恢复到随系统提供的一版"
        moved = _effects(current, book, now)
        try:
            versions.save(book, title, moved.as_figures(), base=newest, by=request.user, at=now)
        except (Refused, ValidationError) as refusal:
            messages.error(request, " ".join(getattr(refusal, "messages", [str(refusal)])))
        else:
            messages.success(request, f"已{title}，存为第{newest + 1}版。")
        return redirect(self._to("versions"))

    # --- 每月复核 ------------------------------------------------------------------------------------------------------
    def review(self, request: HttpRequest) -> HttpResponse:
        return self._review_page(request, _month(request))

    def _review_page(self, request, month: date, bound: LessonForm | None = None, pk: int = 0):
        rows = [
            (row, bound if row.pk == pk and bound else LessonForm(assignment=row))
            for row in monthly_review.overridden(month)
        ]
        now = timezone.now()
        table = monthly_review.hits(now)
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
        back = f"{self._to('review')}?month={slug(month)}"
        if request.method != "POST":
            return redirect(back)
        who = {"by": request.user, "at": timezone.now()}
        if request.POST.get("lesson") == "fine":
            return self._learnt(request, back, "已记为无需改规则。", monthly_review.leave, row, **who)
        form = LessonForm(request.POST, assignment=row)
        if form.is_valid():
            try:
                return self._learnt(
                    request,
                    back,
                    "已列为标准例，以后每次改规则都用它核对。",
                    monthly_review.learn,
                    row,
                    **form.cleaned_data,
                    **who,
                )
            except ValidationError as invalid:
                form.add_error(None, invalid)
        return self._review_page(request, month, form, pk)

    @staticmethod
    def _learnt(request, back: str, done: str, act, row, **said) -> HttpResponse:
        try:
            act(row, **said)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return redirect(back)


def _effects(before: Rules, after: Rules, now: datetime) -> Effects:
    """What the change would move, as if every from-date had come: an edit is judged by what it will do."""
    day = date.max
    return impact.of(versions.compiled(before, day), versions.compiled(after, day), now)


def _month(request: HttpRequest) -> date:
    asked = parse_slug(request.GET.get("month", ""))
    return (asked or timezone.now().astimezone(SHANGHAI).date()).replace(day=1)


def _changes(before: Rules, after: Rules):
    """Each topic that differs: its name, and field by field what came and what went."""
    old = {rule.topic.code: versions.as_json(rule) for rule in before}
    new = {rule.topic.code: versions.as_json(rule) for rule in after}
    for code in dict.fromkeys([*old, *new]):
        if old.get(code) != new.get(code):
            name = (new.get(code) or old[code])["name"]
            kind = "增加" if code not in old else "去掉" if code not in new else "修改"
            yield name, kind, list(_fields(old.get(code, {}), new.get(code, {})))


def _fields(old: dict, new: dict):
    for field in LABELS:
        was, is_now = old.get(field, ""), new.get(field, "")
        if was != is_now and field not in ("code", "remark"):
            parts = (_parts(field, was), _parts(field, is_now))
            yield (
                LABELS[field],
                [p for p in parts[1] if p not in parts[0]],
                [p for p in parts[0] if p not in parts[1]],
            )


def _parts(field: str, value) -> list[str]:
    if field == "on":
        return ["启用" if value else "停用"]
    if field == "together":
        return str(value).splitlines()
    return str(value).split() if field in LISTED else [str(value)] if value else []


def _bars(table: monthly_review.HitTable) -> list[dict]:
    """The overall rate of each month as a bar of an SVG of 720 × 200."""
    width = 720 // len(table.months)
    return [
        {
            "month": month,
            "rate": hits.rate,
            "led": hits.led,
            "x": place * width + 8,
            "width": width - 16,
            "middle": place * width + width // 2,
            "height": round(1.4 * (hits.rate or 0)),
            "y": 160 - round(1.4 * (hits.rate or 0)),
        }
        for place, (month, hits) in enumerate(zip(table.months, table.overall, strict=True))
    ]

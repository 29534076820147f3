"""公开答复 in the admin: drafted, checked by a second officer, published, withdrawn or replaced (五（二）)."""

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from zhoushan_consult.bureau.actions import Action, ActionForm, may
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.form_fields import MultilineField

from .. import answers
from ..answers import Wording
from ..models import Appointment, Publicity, PublishedAnswer
from ..topics import TopicChoice


class WordingForm(ActionForm):
    """问题、答复、依据. The text must not show which firm asked: anyone can read a published answer."""

    # Empty for a new draft, which has no version yet.
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    question = MultilineField(
        label="问题",
        max_length=300,
        help_text="写成任何企业都可能问的一句话，不要出现企业名称、姓名、电话和号码。",
    )
    answer = MultilineField(
        label="答复",
        max_length=3000,
        rows=10,
        help_text="先说结论，再说怎么办。",
    )
    law = forms.CharField(
        label="政策依据",
        max_length=300,
        help_text="法律、标准或文件的名称和条款，如《排污许可管理条例》第十四条。",
    )
    division = forms.ModelChoiceField(
        label="答复处室", queryset=Division.objects.all(), empty_label="请选择处室"
    )
    topic = forms.ChoiceField(label="事项类别", choices=[("", "请选择"), *TopicChoice.choices])

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # An existing answer fills the form; for a new one the caller gives `initial`.
        if self.record.pk:
            self.initial = {name: getattr(self.record, name) for name in self.fields if name != "version"}

    def wording(self) -> Wording:
        """The valid form as `answers.propose` and `answers.amend` take it."""
        data = self.cleaned_data
        return Wording(**{name: data[name] for name in ("question", "answer", "law", "division", "topic")})


class VersionForm(ActionForm):
    """An action on the version that the officer read: a draft that was changed meanwhile must not be published unread."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class RemarkForm(VersionForm):
    """The same with a reason, which the person who drafted it reads."""

    remark = MultilineField(label="理由", max_length=200, rows=2)


def in_state(*states: Publicity):
    """A condition for `Action.offered` and `Action.opened`: the answer is in one of `states`."""
    return lambda answer: answer.state in states


def is_second(answer: PublishedAnswer, officer: Officer) -> bool:
    """A condition for `Action.offered_to`: the drafter does not check the own draft."""
    return answer.drafted_by_id != officer.pk


def _propose_replacement(answer: PublishedAnswer, form: WordingForm, **who):
    """A published answer never changes: others may have acted on it. A second one replaces it."""
    answers.propose(form.wording(), source=answer.source, replaces=answer, **who)


# The names are addresses, so they stay. `**who` is by=officer and at=instant.
ACTIONS = (
    Action(
        name="publish",
        title="审核公开",
        act=Act.PUBLISH,
        form=VersionForm,
        do=lambda draft, form, **who: answers.publish(draft, version=form.cleaned_data["version"], **who),
        offered=in_state(Publicity.DRAFT),
        offered_to=is_second,
        opened=in_state(Publicity.DRAFT),
        button="核对无误，公开",
        done="已公开，企业现在可以查到；已通知拟稿人。",
        hint="拟稿人和审核人须为两人。请核对：结论正确、依据现行有效、看不出是哪家企业的问题。",
    ),
    Action(
        name="amend",
        title="修改",
        act=Act.PUBLISH,
        form=WordingForm,
        do=lambda draft, form, **who: answers.amend(
            draft, form.wording(), version=form.cleaned_data["version"], **who
        ),
        offered=in_state(Publicity.DRAFT),
        button="保存修改",
        done="已保存。修改的人成为拟稿人，请另一位同志审核公开。",
    ),
    Action(
        name="send_back",
        title="退回修改",
        act=Act.PUBLISH,
        form=RemarkForm,
        do=lambda draft, form, **who: answers.send_back(draft, **form.cleaned_data, **who),
        offered=in_state(Publicity.DRAFT),
        offered_to=is_second,
        button="退回拟稿人",
        done="已退回，并已通知拟稿人；理由写在上面。",
    ),
    Action(
        name="drop",
        title="不公开",
        act=Act.PUBLISH,
        form=RemarkForm,
        do=lambda draft, form, **who: answers.drop(draft, **form.cleaned_data, **who),
        offered=in_state(Publicity.DRAFT),
        button="不公开这条答复",
        done="已记为不公开，并已通知拟稿人。",
        danger=True,
    ),
    Action(
        name="renew",
        title="拟新答复替换",
        act=Act.PUBLISH,
        form=WordingForm,
        do=_propose_replacement,
        offered=in_state(Publicity.PUBLISHED),
        button="保存为拟公开",
        done="新答复已存为拟公开；另一位同志审核公开后，这一条自动标为已更新。",
        hint="公开后的答复不再改动。政策有变化时，另拟一条替换它。",
    ),
    Action(
        name="withdraw",
        title="撤回",
        act=Act.PUBLISH,
        form=RemarkForm,
        do=lambda answer, form, **who: answers.withdraw(answer, form.cleaned_data["remark"], **who),
        offered=in_state(Publicity.PUBLISHED),
        button="撤回这条答复",
        done="已撤回，原网址会注明撤回日期。",
        hint="内容有误或依据已废止、又没有新答复时使用。",
        danger=True,
    ),
)


class AnswerAdmin(RecordAdmin):
    """List and screen of 公开答复. `triage.admin` adds the way that starts from a released reply."""

    see = Act.PUBLISH
    record_actions = ACTIONS
    list_display = ["question", "division", "topic", "state", "published_at"]
    list_filter = ["state", "division", "topic"]
    search_fields = ["question", "answer"]
    # Without it the list makes one query for each row.
    list_select_related = ["division"]
    # The newest change first: a draft that waits for the second officer is on top.
    ordering = ["-changed_at", "-pk"]
    screen_template = "admin/answer/screen.html"
    add_template = "admin/answer/add.html"

    def has_add_permission(self, request) -> bool:
        return may(request, Act.PUBLISH)

    def drawn_from(self, request) -> tuple[dict, Appointment | None]:
        """The initial values of a new answer, and the registration that it answers. Here: none of both."""
        return {}, None

    def add_view(self, request, form_url="", extra_context=None):
        """The form for a new 拟公开 answer. POST saves the draft; mistakes are shown with everything typed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial, source = self.drawn_from(request)
        form = WordingForm(request.POST or None, record=PublishedAnswer(), initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                draft = answers.propose(form.wording(), source=source, by=request.user, at=timezone.now())
            except ValidationError as invalid:
                # The names, phones and numbers that `answers` finds in the text.
                form.add_errors(invalid)
            else:
                return redirect(f"{self.address(draft)}#main")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "拟公开答复",
            "form": form,
            "source": source,
        }
        return TemplateResponse(request, self.add_template, context)

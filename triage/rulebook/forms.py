"""The forms in which 综合处 edits the rules, tries them on a text, and reviews overridden suggestions."""

from django import forms
from django.core.exceptions import ValidationError

from triage.models import Assignment
from triage.routing import topic_files
from triage.routing.topic import DIVISIONS, LAYERS, MANUAL, SCOPES, Topic, covers
from triage.routing.validation import WITHOUT_CLAUSE
from zhoushan_consult.bureau.models import Division
from zhoushan_consult.form_fields import MultilineField

from .versions import Rule, Rules

_WORDS = {"required": False, "widget": forms.Textarea(attrs={"rows": 6})}
_LINES = {"required": False, "widget": forms.Textarea(attrs={"rows": 4})}


class TopicForm(forms.Form):
    """One topic. Words are separated by blanks; there is one combination per line."""

    use_required_attribute = False

    code = forms.RegexField(
        r"^[\w.-]+$",
        label="代码",
        max_length=60,
        help_text="给这个事项起一个不重复的简称，点号前面是类别，如“噪声.夜间”；保存后不再改。",
        error_messages={"invalid": "代码只能用汉字、字母、数字、点号和短横。"},
    )
    name = forms.CharField(label="事项名称", max_length=60)
    clause = forms.CharField(
        label="依据的条款",
        max_length=200,
        error_messages={"required": "没有写明所依据的条款，请填写。"},
        help_text="照抄实施方案的原话，如“五（一）涉气污染防治问题由大气处研究回复”。词表和形近词可以不填。",
    )
    layer = forms.ChoiceField(
        label="层次",
        choices=[(code, name) for code, (name, _) in LAYERS.items()],
        help_text="例外先于事项，事项先于要素，要素先于零散字词。",
    )
    lead = forms.ChoiceField(label="主办处室", choices=DIVISIONS.items())
    support = forms.MultipleChoiceField(
        label="固定协办",
        required=False,
        choices=[choice for choice in DIVISIONS.items() if choice[0] != MANUAL],
        widget=forms.CheckboxSelectMultiple,
    )
    scope = forms.ChoiceField(label="范围", choices=SCOPES.items())
    include = forms.CharField(
        label="决定词", help_text="出现一个就算，用空格隔开。“甲…乙”指甲后面紧跟着有乙。", **_WORDS
    )
    together = forms.CharField(
        label="组合", help_text="每行一个。“废气 烟尘 + 补助 补贴”：加号两边各出现一个就算。", **_LINES
    )
    hints = forms.CharField(label="线索词", help_text="单独不算，两个以上可作参考。", **_LINES)
    exclude = forms.CharField(label="排除词", help_text="出现时，组合和线索词作废。", **_LINES)
    gives_way_to = forms.MultipleChoiceField(
        label="让位于",
        required=False,
        help_text="同一问里有这些事项时退后。按住 Ctrl 可以选几个。",
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    on = forms.BooleanField(label="启用", required=False)
    since = forms.DateField(
        label="自哪天起适用",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="不填，保存后马上适用。",
    )
    remark = forms.CharField(
        label="修改说明",
        max_length=300,
        help_text="改了什么、为什么改，会留在修改记录里。",
        error_messages={"required": "请填写改了什么、为什么改。"},
    )

    def __init__(self, data=None, *, rule: Rule | None, rules: Rules):
        super().__init__(
            data, auto_id="topic_%s", initial=_initial(rule) if rule else {"on": True, "scope": "in"}
        )
        layer = (data or {}).get("layer") or (rule.topic.layer if rule else "")
        self.fields["clause"].required = layer not in WITHOUT_CLAUSE
        self.rule, self.used_codes = rule, {each.topic.code for each in rules}
        self.fields["gives_way_to"].choices = _gives_way_choices([each.topic for each in rules])
        # Traces and versions name a topic by its code, so the code of an existing topic cannot be changed.
        if rule:
            del self.fields["code"]

    def clean_code(self) -> str:
        if self.cleaned_data["code"] in self.used_codes:
            raise ValidationError("已有事项用这个代码，请换一个。")
        return self.cleaned_data["code"]

    def edited_rule(self) -> Rule:
        """The rule as typed. Call it only if the form is valid."""
        fields = dict(self.cleaned_data)
        on, since, _ = fields.pop("on"), fields.pop("since"), fields.pop("remark")
        code = self.rule.topic.code if self.rule else fields.pop("code")
        return Rule(topic_files.from_mapping({"code": code, **fields}), on, since)


def _initial(rule: Rule) -> dict:
    topic = rule.topic
    lists = {"support": list(topic.support), "gives_way_to": list(topic.gives_way_to)}
    return {**topic_files.as_mapping(topic), **lists, "on": rule.on, "since": rule.since}


def _gives_way_choices(topics: list[Topic]) -> list[tuple[str, str]]:
    """What a topic may give way to: a layer, a kind of topics (the first part of their codes), or one topic."""
    layers = [(code, f"全部“{name}”") for code, (name, _) in LAYERS.items()]
    kinds = {pattern for topic in topics for pattern in topic.gives_way_to} - set(LAYERS)
    named = [
        (kind, f"“{first.name}”一类")
        for kind in sorted(kinds - {t.code for t in topics})
        if (first := next((t for t in topics if covers(kind, t)), None))
    ]
    return [*layers, *named, *((topic.code, topic.name) for topic in topics)]


class TrialForm(forms.Form):
    """试一试: any text, and the name of the firm that would send it."""

    use_required_attribute = False

    text = MultilineField(label="咨询事项", max_length=2000, rows=6)
    firm = forms.CharField(
        label="企业名称", max_length=100, required=False, help_text="可以不填；名称里的字不作依据。"
    )


class LessonForm(forms.Form):
    """A text without names of persons or firms, and the division that should get it."""

    use_required_attribute = False

    text = MultilineField(label="文字", max_length=2000)
    division = forms.ModelChoiceField(
        label="应由哪个处室办理", queryset=Division.objects.all(), empty_label="请选择处室"
    )

    def __init__(self, data=None, *, assignment: Assignment):
        # A division that gave the question back is not the right answer, so it must not be suggested.
        division = None if assignment.return_reason else assignment.division_id
        initial = {"text": assignment.question, "division": division}
        super().__init__(data, auto_id=f"lesson{assignment.pk}_%s", initial=initial)

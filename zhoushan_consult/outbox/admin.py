"""通知 in the admin: letters that were sent, and those that were not. Only a person who telephones sees the text."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from zhoushan_consult.bureau.actions import Action, ActionForm, may
from zhoushan_consult.bureau.record_admin import RecordAdmin
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.bureau.worklist import Row, WorkList
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.form_fields import MultilineField
from zhoushan_consult.identity import phone as phones

from . import delivery, telephone
from .calls import call_now
from .models import CallOutcome, Channel, Notice, State
from .sms_texts import segments


class CallForm(ActionForm):
    """How a telephone call went (六（三）)."""

    outcome = forms.ChoiceField(label="通话结果", choices=CallOutcome, widget=forms.RadioSelect)
    gist = MultilineField(label="通话内容", max_length=500)


# Rows on the first page; the link below them shows all.
FAILED_SHOWN = 6


def failed(officer, now) -> list[WorkList]:
    """Work for 系统管理: letters that could not be sent."""
    if not officer.may(Act.HEALTH):
        return []
    letters = delivery.failed()
    all_failed = f"{reverse('admin:outbox_notice_changelist')}?state__exact={State.FAILED}"
    rows = [Row(str(letter), _screen(letter), letter.last_error) for letter in letters[:FAILED_SHOWN]]
    empty = "没有发送失败的通知。多次重发仍没有送出、也没有改为电话的会出现在这里。"
    return [WorkList("failed", "发送失败的通知", rows, letters.count(), empty, all_failed)]


def _screen(letter: Notice) -> str:
    """The page of the letter, where it can be sent again or replaced by a call."""
    return reverse("admin:outbox_notice_change", args=[letter.pk])


admin.site.register_worklist(failed)


def has_stopped(notice: Notice) -> bool:
    """Whether a letter for a gateway could not be sent. A call has no gateway: a person makes it."""
    return notice.state in (State.FAILED, State.RETRY) and notice.channel in settings.OUTBOX_ADAPTERS


def sent_again(notice: Notice) -> str:
    """What the officer reads who had a letter sent again: at night, or after the SMS of the day, it waits for the morning."""
    if not _waits(notice):
        return "已安排重新发送，几秒钟后刷新可以看到结果。"
    leaves = notice.next_try_at.astimezone(SHANGHAI)
    return f"已安排重新发送，{leaves:%-m月%-d日%-H:%M}送出（{notice.last_error}）。"


def _waits(notice: Notice) -> bool:
    return notice.state == State.WAITING and notice.next_try_at > timezone.now()


RETRY = Action(
    name="retry",
    title="重试",
    act=Act.HEALTH,
    do=lambda notice, form, **who: delivery.retry(notice, **who),
    offered=has_stopped,
    opened=lambda notice: notice.state == State.FAILED,
    button="重新发送",
    done=sent_again,
    hint="通道恢复、号码或地址无误时使用。",
)
TELEPHONE = Action(
    name="telephone",
    title="改为电话",
    act=Act.HEALTH,
    do=lambda notice, form, **who: delivery.replace_by_call(notice, **who),
    offered=lambda notice: has_stopped(notice) and notice.channel == Channel.SMS,
    opened=lambda notice: notice.state == State.FAILED,
    button="转综合处电话告知",
    done="已转到综合处的待电话联系名单。",
    hint="短信不再发，由综合处打电话告知，并登记通话结果。",
)
DISMISS = Action(
    name="dismiss",
    title="不再处理",
    act=Act.HEALTH,
    do=lambda notice, form, **who: delivery.dismiss(notice, **who),
    offered=lambda notice: notice.state == State.FAILED,
    button="不再处理",
    done="已记为不再处理，不再提醒。",
    hint="对方已从别的途径知道的，点这里；谁在什么时候点的会留存。",
)


def is_to_call(notice: Notice) -> bool:
    """Whether a person still has to telephone."""
    return notice.channel == Channel.CALL and notice.state == State.WAITING


def is_needed(notice: Notice) -> bool:
    """Whether the call is still true. `NoticeAdmin.get_object` has read it."""
    return is_to_call(notice) and not notice.call.not_needed


CALL = Action(
    name="call",
    title="登记通话",
    act=Act.CALL,
    form=CallForm,
    do=lambda notice, form, **who: telephone.record_call([notice], **form.cleaned_data, **who),
    offered=is_needed,
    button="登记",
    done="通话已登记。",
    hint="无人接听的仍留在待电话联系名单里。",
    opened=is_needed,
)


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    """The letters, for 系统管理 and for those who telephone. `delivery.may_manage_letters` decides who sees them."""

    record_actions = (CALL, RETRY, TELEPHONE, DISMISS)
    actions = ["send_again", "call_instead"]
    list_display = [
        "__str__", "to_name", "masked", "state", "created_at", "next_try_at", "attempts", "sent_at",
        "last_error",
    ]  # fmt: skip
    list_filter = ["state", "channel"]

    def has_module_permission(self, request) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None) -> bool:
        return request.user.is_authenticated and delivery.may_manage_letters(request.user)

    def get_object(self, request, object_id, from_field=None):
        """A call is read with what is to be said now."""
        found = super().get_object(request, object_id, from_field)
        if found and is_to_call(found):
            found.call = call_now(found, timezone.now())
        return found

    def facts(self, request, record: Notice) -> dict:
        facts = super().facts(request, record)
        if record.channel == Channel.SMS:
            count = segments(record.text, settings.SMS_SIGN_NAME)
            facts["values"].append(
                ("短信条数", f"{count}条（含签名）" if settings.SMS_SIGN_NAME else f"{count}条")
            )
        if record.arrived_at:
            facts["values"].append(self._value(record, "arrived_at"))
        # The full number, for as long as it is needed. Everywhere else it is masked.
        if is_to_call(record) and may(request, Act.CALL):
            facts["values"] += self._to_say(record)
        return facts

    def _to_say(self, record: Notice) -> list[tuple[str, str]]:
        if record.call.not_needed:
            return [("不用再打", f"{record.call.not_needed}。几分钟后从名单里撤下。")]
        return [("电话", phones.format_phone(record.to.open())), ("告知内容", record.call.text)]

    @admin.display(description="收件号码")
    def masked(self, notice: Notice) -> str:
        return notice.masked_to

    @admin.action(description="重试")
    def send_again(self, request, queryset: QuerySet[Notice]):
        retried = self._apply_to_each(request, queryset, delivery.retry, "已安排重新发送")
        if later := sum(map(_waits, Notice.objects.filter(pk__in=retried))):
            messages.info(
                request, f"其中{later}条到早上再发：夜间，或当日短信已达上限。时间见“下次发送时间”。"
            )

    @admin.action(description="改为电话")
    def call_instead(self, request, queryset: QuerySet[Notice]):
        self._apply_to_each(request, queryset, delivery.replace_by_call, "已转到待电话联系名单")

    def _apply_to_each(self, request, queryset: QuerySet[Notice], act, done: str) -> list[int]:
        """Call `act` for each chosen letter. A letter that refuses is reported, and the others are still done.

        Returns the keys of those that are done.
        """
        at, acted = timezone.now(), []
        for notice in queryset:
            try:
                act(notice, by=request.user, at=at)
                acted.append(notice.pk)
            except Refused as refusal:
                messages.warning(request, f"{notice}：{refusal}")
        if acted:
            messages.success(request, f"{done}：{len(acted)}条。")
        return acted

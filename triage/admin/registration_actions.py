"""Every action on a registration: the act it needs, when it is open, its form, and the one call it makes."""

from appointments import contact
from appointments.models import Verdict
from appointments.situation import StaffAct
from sessions_app import policy
from triage import (
    assignment,
    calls,
    closing,
    follow_up,
    forms,
    hearing,
    id_reveal,
    review,
    seating,
    supplements,
)
from triage.models import CallOutcome, DeclineReason, Outcome
from zhoushan_consult.bureau.actions import Action
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.outbox import telephone


def open_to(act: StaffAct):
    """For `offered` or `opened`: whether the act is open in the situation of the registration, which the screen has read."""
    return lambda appointment: act in appointment.situation.staff_acts


def _call(form) -> calls.Call:
    return calls.Call(CallOutcome(form.cleaned_data["outcome"]), form.cleaned_data["gist"])


def _accept(appointment, form, **who):
    review.accept(appointment, form.rows.made(), trace=form.cleaned_data["trace"], **who)


def _decline(appointment, form, **who):
    data = form.cleaned_data
    reason = DeclineReason(data["reason"])
    review.decline(appointment, reason, form.explained(), _call(form), version=data["version"], **who)


def _notified(appointment, form, **who):
    data = form.cleaned_data
    telephone.record_call(form.chosen(), outcome=data["outcome"], gist=data["gist"], **who)


def _correct_contact(appointment, form, **who):
    data = form.cleaned_data
    contact.correct(appointment, form.contact(), data["reason"], version=data["version"], **who)


def _conclude(appointment, form, **who):
    data = form.cleaned_data
    hearing.conclude(appointment, Outcome(data["outcome"]), data["gist"], form.rows.made(), **who)


def _progress(appointment, form, **who):
    follow_up.post_progress(
        form.chosen(), form.cleaned_data["text"], to_firm=form.cleaned_data["to_firm"], **who
    )


# In the order of the process. The name of an action is part of its URL and of the `#panel-…` links on the home page.
ACTIONS = (
    Action(
        name="accept",
        title="通过初审并交办",
        act=Act.REVIEW,
        form=forms.AcceptForm,
        do=_accept,
        offered=open_to(StaffAct.ACCEPT),
        opened=open_to(StaffAct.ACCEPT),
        button="通过初审并交办",
        done="已通过初审，交办已送达各处室，并已通知企业。",
        hint="每项交给一个处室。可以改处室、拆分、增加或去掉；与规则建议的处室不同时，请写明调整理由。",
        template="admin/rows_action.html",
    ),
    Action(
        name="decline",
        title="不予通过",
        act=Act.REVIEW,
        form=forms.DeclineForm,
        do=_decline,
        offered=open_to(StaffAct.DECLINE),
        button="不予通过并通知企业",
        done="已不予通过，并已通知企业。",
        hint="请先打电话告知企业不予通过及理由（实施方案六（三）），再在这里记录。没有接通的，先记在“电话记录”。",
        danger=True,
    ),
    Action(
        name="check_in",
        title="现场签到",
        act=Act.RUN_DAY,
        do=lambda appointment, form, **who: hearing.check_in(appointment, **who),
        offered=open_to(StaffAct.CHECK_IN),
        opened=open_to(StaffAct.CHECK_IN),
        button="企业已到，签到",
        done="已签到。",
    ),
    Action(
        name="conclude",
        title="现场结果",
        act=Act.RUN_DAY,
        form=forms.ConcludeForm,
        do=_conclude,
        offered=open_to(StaffAct.CONCLUDE),
        opened=open_to(StaffAct.CONCLUDE),
        button="保存现场结果",
        done="现场结果已保存，并已告知企业。",
        hint="需跟踪督办的，请在下面逐项写明督办事项和责任处室。",
        template="admin/rows_action.html",
    ),
    Action(
        name="reassign",
        title="改派交办",
        act=Act.ASSIGN,
        form=forms.ReassignForm,
        do=lambda appointment, form, **who: assignment.reassign(form.chosen(), form.made(), **who),
        offered=lambda appointment: (
            bool(forms.movable(appointment)) and StaffAct.ADD in appointment.situation.staff_acts
        ),
        # Open from the start if a division has sent its part back: then it is the work that waits.
        opened=lambda appointment: any(a.return_reason for a in forms.movable(appointment)),
        button="改派",
        done="已改派，新的处室已收到。",
        hint="原交办随之撤销。",
        template="admin/rows_action.html",
    ),
    Action(
        name="add",
        title="另行交办",
        act=Act.ASSIGN,
        form=forms.AddForm,
        do=lambda appointment, form, **who: assignment.add(appointment, form.rows.made()[0], **who),
        offered=open_to(StaffAct.ADD),
        button="增加交办",
        done="已增加交办，处室已收到。",
        hint="有遗漏的事项，或需要另一个处室协办时使用。",
        template="admin/rows_action.html",
    ),
    Action(
        name="supplement",
        title="交办补充问题",
        act=Act.ASSIGN,
        form=forms.SupplementForm,
        do=lambda appointment, form, **who: supplements.assign(form.chosen(), form.made(), **who),
        offered=lambda appointment: (
            bool(forms.open_supplements(appointment)) and StaffAct.ADD in appointment.situation.staff_acts
        ),
        opened=lambda appointment: True,
        button="交办补充问题",
        done="补充问题已交办，处室已收到。",
        hint="企业通过初审后补充的问题，和其他事项一样交给一个处室答复。",
        template="admin/rows_action.html",
    ),
    Action(
        name="supplement_noted",
        title="补充问题不另交办",
        act=Act.ASSIGN,
        form=forms.SupplementNotedForm,
        do=lambda appointment, form, **who: supplements.note(form.chosen(), **who),
        offered=lambda appointment: bool(forms.open_supplements(appointment)),
        button="不另交办",
        done="已记下，不另交办。",
        hint="补充的内容已经包含在现有交办里时使用。",
    ),
    Action(
        name="objection",
        title="核实登记异议",
        act=Act.REVIEW,
        form=forms.ObjectionForm,
        do=lambda appointment, form, **who: supplements.decide(
            forms.open_objection(appointment),
            Verdict(form.cleaned_data["verdict"]),
            form.cleaned_data["gist"],
            **who,
        ),
        offered=lambda appointment: forms.open_objection(appointment) is not None,
        opened=lambda appointment: True,
        button="保存核实结果",
        done="核实结果已保存。",
        hint="有人提出这份登记不是本企业提交的。请打电话向企业核实；作废后，名额和登记资格随即空出。",
        danger=True,
    ),
    Action(
        name="notified",
        title="记录电话通知",
        act=Act.CALL,
        form=forms.NotifiedForm,
        do=_notified,
        offered=lambda appointment: bool(appointment.calls_to_make),
        opened=lambda appointment: True,
        button="保存通话结果",
        done="通话结果已保存。",
        hint="这些通知不能发短信，请打一个电话一并告知。无人接听的留在待办里；号码有误的，请接着更正联系方式。",
    ),
    Action(
        name="call",
        title="电话记录",
        act=Act.CALL,
        form=forms.CallForm,
        do=lambda appointment, form, **who: calls.record_call(appointment, _call(form), **who),
        button="保存电话记录",
        done="电话记录已保存。",
        hint="核实情况、没有接通等，都可以记在这里；不影响办理阶段。",
    ),
    Action(
        name="contact",
        title="更正联系方式",
        act=Act.CALL,
        form=forms.ContactForm,
        do=_correct_contact,
        offered=open_to(StaffAct.CONTACT),
        opened=lambda appointment: appointment.is_unreachable,
        button="保存更正",
        done="联系方式已更正，还没有送达的通知已改发到新的联系方式。",
        hint=(
            f"还没有送出的通知改发到新的号码和邮箱；{policy.RESEND_WITHIN_DAYS}天内发到旧号码、现在仍属实的补发，"
            "企业的确认、反馈期限从新的送达时间起算。"
        ),
    ),
    Action(
        name="unreachable",
        title="联系不上，不再联系",
        act=Act.CALL,
        form=forms.ReasonForm,
        do=lambda appointment, form, **who: calls.dismiss(appointment, form.cleaned_data["reason"], **who),
        offered=lambda appointment: appointment.is_unreachable,
        button="不再联系",
        done="已记为不再联系。企业凭受理编号查进度时可以看到全部通知。",
        hint="找不到正确的号码时使用。通知留在企业的进度页，确认、反馈的期限从现在起算；理由将留存。",
        danger=True,
    ),
    Action(
        name="confirm_seat",
        title="代企业确认参加",
        act=Act.SETTLE,
        form=forms.CallForm,
        do=lambda appointment, form, **who: calls.confirm_seat(appointment, _call(form), **who),
        offered=open_to(StaffAct.CONFIRM),
        button="企业确认参加",
        done="已确认，通话已记录。",
        hint="企业在电话里答复参加时使用，通话一并记录。请复述时间、地点，提醒带登记时的证件。",
    ),
    Action(
        name="give_up",
        title="代企业放弃名额",
        act=Act.SETTLE,
        form=forms.CallForm,
        do=lambda appointment, form, **who: calls.give_up_seat(appointment, _call(form), **who),
        offered=open_to(StaffAct.GIVE_UP),
        button="企业放弃名额",
        done="名额已空出，将自动递补下一家；该企业改为书面答复。通话已记录。",
        hint="企业在电话里表示不来时使用，通话一并记录。请说明：名额给下一家，问题书面答复。",
        danger=True,
    ),
    Action(
        name="extra_seat",
        title="增加名额",
        act=Act.EXTRA_SEAT,
        form=forms.ReasonForm,
        do=lambda appointment, form, **who: seating.add_seat(
            appointment.day, appointment, form.cleaned_data["reason"], **who
        ),
        offered=open_to(StaffAct.EXTRA_SEAT),
        button="为这家企业增加一个名额",
        done="已增加名额，并已通知企业确认。",
        hint="原则上每次不超过10家（实施方案六（五））。确需增加的，请写明理由，理由将留存。",
    ),
    Action(
        name="progress",
        title="督办进展",
        act=Act.FOLLOW_UP,
        form=forms.ProgressForm,
        do=_progress,
        offered=lambda appointment: bool(forms.open_follow_ups(appointment)),
        button="保存进展",
        done="进展已保存，并已告知综合处和办公室。",
    ),
    Action(
        name="close_matter",
        title="督办办结",
        act=Act.FOLLOW_UP,
        form=forms.CloseFollowUpForm,
        do=lambda appointment, form, **who: follow_up.close(
            form.chosen(), form.cleaned_data["result"], **who
        ),
        offered=lambda appointment: bool(forms.open_follow_ups(appointment)),
        button="办结这件督办",
        done="督办已办结。",
    ),
    Action(
        name="close",
        title="办结登记",
        act=Act.FOLLOW_UP,
        do=lambda appointment, form, **who: closing.close_registration(appointment, **who),
        offered=open_to(StaffAct.CLOSE),
        button="办结",
        done="已办结，并已通知企业。",
        hint="没有未办事项时使用。企业如有不同意见，可在进度页反馈“未解决”。",
    ),
    Action(
        name="reconsider",
        title="重新审核",
        act=Act.REVIEW,
        form=forms.ReasonForm,
        do=lambda appointment, form, **who: review.reconsider(
            appointment, form.cleaned_data["reason"], **who
        ),
        offered=open_to(StaffAct.RECONSIDER),
        button="退回待初审",
        done="已退回待初审，未办的交办已撤销。",
        hint="企业提出异议，或发现判断有误时使用。未办的交办会一并撤销。",
        danger=True,
    ),
    Action(
        name="reveal_id",
        title="查看完整证件号码",
        act=Act.REVEAL_ID,
        form=forms.ReasonForm,
        do=lambda appointment, form, **who: id_reveal.reveal_id(
            appointment, form.cleaned_data["reason"], **who
        ),
        offered=lambda appointment: bool(appointment.id_number),
        button="查看一次",
        hint="每次查看都要写明理由，并留痕；号码只显示这一次。",
    ),
)

"""What can be done to a record: one literal table of verbs, as the trail stores them and as people read them.

A code never changes once it is in a database; its Chinese label may be reworded at any time.
"""

from django.db.models import TextChoices


class Verb(TextChoices):
    """The verb of an audit entry."""

    # 六（二） what the firm does
    REGISTERED = "registered", "预约登记"
    AMENDED = "amended", "修改登记"
    RATED = "rated", "服务评价"
    SUPPLEMENTED = "supplemented", "补充问题"
    OBJECTED = "objected", "提出登记异议"
    REFERENCE_SENT = "reference_sent", "补发受理编号"

    # One for each stage that a registration can move to: `Verb.of_stage`.
    STAGE_SUBMITTED = "stage_submitted", "转为待初审"
    STAGE_ACCEPTED = "stage_accepted", "转为通过初审"
    STAGE_DECLINED = "stage_declined", "转为不予通过"
    STAGE_WITHDRAWN = "stage_withdrawn", "转为已撤回"
    STAGE_SEATED = "stage_seated", "转为现场咨询"
    STAGE_DEFERRED = "stage_deferred", "转为先行书面答复"
    STAGE_ANSWERED = "stage_answered", "转为已书面答复"
    STAGE_HEARD = "stage_heard", "转为已现场咨询"
    STAGE_ABSENT = "stage_absent", "转为未到场"
    STAGE_FOLLOWING = "stage_following", "转为跟踪督办"
    STAGE_CLOSED = "stage_closed", "转为办结"

    # 六（一） the plan, 二 who receives
    PLAN_EDITED = "plan_edited", "拟订方案"
    PLAN_COPIED = "plan_copied", "照上期方案填写"
    PLAN_SUBMITTED = "plan_submitted", "方案送审"
    PLAN_APPROVED = "plan_approved", "方案审核同意并公布"
    PLAN_SENT_BACK = "plan_sent_back", "方案退回修改"
    PLAN_CHANGED = "plan_changed", "变更方案"
    DAY_CANCELLED = "day_cancelled", "取消活动"
    RECEPTION_CONFIRMED = "reception_confirmed", "接待人员确认参加"
    RECEPTION_DECLINED = "reception_declined", "接待人员不能参加"

    # 六（三）（四） review, assignment, reply
    CALLED = "called", "电话沟通"
    CONTACT_CORRECTED = "contact_corrected", "更正联系方式"
    UNREACHABLE_DISMISSED = "unreachable_dismissed", "联系不上，不再联系"
    SUPPLEMENT_HANDLED = "supplement_handled", "处理补充问题"
    OBJECTION_DECIDED = "objection_decided", "核实登记异议"
    RECONSIDERED = "reconsidered", "重新审核"
    ID_REVEALED = "id_revealed", "查看证件号码"
    ASSIGNED = "assigned", "交办"
    ASSIGNMENT_RETURNED = "assignment_returned", "退回交办"
    ASSIGNMENT_CANCELLED = "assignment_cancelled", "撤销交办"
    TERM_SHORTENED = "term_shortened", "提前答复期限"
    REPLY_DRAFTED = "reply_drafted", "拟写答复"
    REPLY_SUBMITTED = "reply_submitted", "送审签"
    REPLY_SENT_BACK = "reply_sent_back", "退回修改答复"
    REPLY_SIGNED = "reply_signed", "审签答复"
    REVISION_DROPPED = "revision_dropped", "不再更正或补充答复"

    # 六（五） seats and the day
    LIST_SETTLED = "list_settled", "确定名单"
    SEAT_CONFIRMED = "seat_confirmed", "确认参加"
    SEAT_ADDED = "seat_added", "增加名额"
    SEAT_VACATED = "seat_vacated", "未到场让出名额"
    PRIORITY_GRANTED = "priority_granted", "取得优先"
    CARRIED_OVER = "carried_over", "活动取消顺延"
    TIMETABLE_FIXED = "timetable_fixed", "排定现场"
    CHECKED_IN = "checked_in", "签到"
    HEARING_CONCLUDED = "hearing_concluded", "现场结果"

    # 六（六） follow-up
    FOLLOW_UP_OPENED = "follow_up_opened", "督办立项"
    FOLLOW_UP_POSTED = "follow_up_posted", "督办进展"
    FOLLOW_UP_CLOSED = "follow_up_closed", "督办办结"

    # 五（一） rules, 五（二） public answers
    RULES_CHANGED = "rules_changed", "修改分办规则"
    ROUTING_REVIEWED = "routing_reviewed", "规则复核"
    ANSWER_PROPOSED = "answer_proposed", "拟公开答复"
    ANSWER_AMENDED = "answer_amended", "修改拟公开答复"
    ANSWER_PUBLISHED = "answer_published", "公开答复"
    ANSWER_SUPERSEDED = "answer_superseded", "更新公开答复"
    ANSWER_SENT_BACK = "answer_sent_back", "退改拟公开答复"
    ANSWER_DROPPED = "answer_dropped", "不公开答复"
    ANSWER_WITHDRAWN = "answer_withdrawn", "撤回公开答复"

    # Running the site
    NOTICE_RETRIED = "notice_retried", "重发通知"
    NOTICE_TO_CALL = "notice_to_call", "改为电话通知"
    NOTICE_DISMISSED = "notice_dismissed", "通知不再重发"
    NOTICE_RETRACTED = "notice_retracted", "撤下不再属实的通知"
    NOTICE_CALLED = "notice_called", "电话通知"
    DUTY_RERUN = "duty_rerun", "再次执行定时任务"
    DUTY_DISMISSED = "duty_dismissed", "定时任务不再补做"
    WORKDAY_SET = "workday_set", "调整工作日"
    WORKDAY_CHANGED = "workday_changed", "修改工作日调整"
    WORKDAY_REMOVED = "workday_removed", "删除工作日调整"
    ACCOUNT_OPENED = "account_opened", "开通账号"
    ACCOUNT_CHANGED = "account_changed", "调整账号"
    PASSWORD_RESET = "password_reset", "重置密码"
    PASSWORD_CHANGED = "password_changed", "修改密码"
    FACTOR_BOUND = "factor_bound", "绑定动态口令"
    FACTOR_RESET = "factor_reset", "解除动态口令"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed", "更换备用码"
    RECOVERY_CODE_USED = "recovery_code_used", "使用备用码"
    SIGNED_IN = "signed_in", "登录"
    ACCOUNT_ENABLED = "account_enabled", "启用账号"
    ACCOUNT_DISABLED = "account_disabled", "停用账号"

    @classmethod
    def of_stage(cls, stage: str) -> "Verb":
        """The verb of a move to `stage`. Raises ValueError for a stage that has none."""
        return cls(f"stage_{stage}")

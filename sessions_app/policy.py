"""The numbers of the 实施方案. Each names its clause and can be set in the environment, durations as `…_HOURS` (.env.example)."""

from datetime import time, timedelta

import environ

env = environ.Env()

DAY_OF_MONTH = env.int("DAY_OF_MONTH", default=10)  # 三：每月10日
OPENS_AT = time.fromisoformat(env.str("OPENS_AT", default="08:30"))  # 三：上午8:30—11:30
ENDS_AT = time.fromisoformat(env.str("ENDS_AT", default="11:30"))
FIRST_MONTH = (2019, 10)  # 三：2019年10月份举行第一次活动
SEATS = env.int("SEATS", default=10)  # 六（五）：不超过10家
TABLES = env.int("TABLES", default=2)  # 六（五）：现场同时接待的桌数
TALK_AT_LEAST = env.int("TALK_AT_LEAST", default=18)  # 六（五）：每家现场咨询至少几分钟
TALK_AT_MOST = env.int("TALK_AT_MOST", default=30)  # 六（五）：排得下时，每家至多几分钟
PLAN_WANTED_FROM = env.int("PLAN_WANTED_FROM", default=20)  # 六（一）：上月20日起催办当月方案
# 六（一）：每月这一天按上期备好下月方案的底稿（1—28）
PLAN_PREPARED_ON = env.int("PLAN_PREPARED_ON", default=15)
RECEPTION_REMIND_DAYS = env.int("RECEPTION_REMIND_DAYS", default=5)  # 二：活动前几天起催办未确认的接待人员
SETTLE_WANTED_FROM = env.int("SETTLE_WANTED_FROM", default=2)  # 六（五）：当月2日起催办现场名单
SETTLE_BY = env.int("SETTLE_BY", default=5)  # 六（五）：当月5日前确定名单
CONFIRM_WITHIN = timedelta(hours=env.int("CONFIRM_WITHIN_HOURS", default=48))  # 六（五）：企业确认名额的期限
# 六（五）：活动前一日这一刻起，没有确认的名额不再等
CONFIRMATIONS_END_AT = time.fromisoformat(env.str("CONFIRMATIONS_END_AT", default="18:00"))
# 六（五）：这一刻之前几小时起不再递补，企业来不及答复
LAST_OFFER_BEFORE = timedelta(hours=env.int("LAST_OFFER_BEFORE_HOURS", default=2))
# 六（五）：要企业遵守的期限，都落在这两个钟点之间的整点
DEADLINES_FROM = time.fromisoformat(env.str("DEADLINES_FROM", default="08:00"))
DEADLINES_UNTIL = time.fromisoformat(env.str("DEADLINES_UNTIL", default="20:00"))
REMIND_DAYS_BEFORE = tuple(env.list("REMIND_DAYS_BEFORE", cast=int, default=[3, 1]))  # 六（五）：通知确认
REPLY_WORKDAYS = env.int("REPLY_WORKDAYS", default=5)  # 六（四）：研究答复意见的工作日
REVISION_WORKDAYS = env.int("REVISION_WORKDAYS", default=3)  # 六（四）：更正或补充已发出的答复的工作日
REPLY_REMIND_WORKDAYS = env.int("REPLY_REMIND_WORKDAYS", default=2)  # 六（四）：到期前提醒处室
FOLLOW_UP_WORKDAYS = env.int("FOLLOW_UP_WORKDAYS", default=10)  # 六（六）：后续服务的默认期限
# 六（六）：立项满几天未办结，提醒综合处和办公室
FOLLOW_UP_ALARM_DAYS = env.int("FOLLOW_UP_ALARM_DAYS", default=30)
FOLLOW_UP_LEADER_DAYS = env.int("FOLLOW_UP_LEADER_DAYS", default=60)  # 六（六）：立项满几天未办结，报局领导
RATINGS_SHOWN_FROM = env.int("RATINGS_SHOWN_FROM", default=3)  # 好差评：满几条，被评处室才看到合计
REOPEN_WITHIN_DAYS = env.int("REOPEN_WITHIN_DAYS", default=30)  # 六（六）：办结后企业可反馈未解决的天数
# 六（五）（六）：书面答复或现场咨询告知企业后，等企业反馈的天数；没有反馈的，按已答复办结
DEFERRAL_ANSWER_DAYS = env.int("DEFERRAL_ANSWER_DAYS", default=15)
# 联系方式更正后，几天内发到旧号码、现在仍属实的通知补发到新号码
RESEND_WITHIN_DAYS = env.int("RESEND_WITHIN_DAYS", default=7)
RECEIPTS_A_DAY = env.int("RECEIPTS_A_DAY", default=3)  # 一个电话或邮箱一天内收到的登记回执，防止骚扰他人
OBJECTIONS_A_DAY = env.int("OBJECTIONS_A_DAY", default=5)  # 同一网络一天内可提出的登记异议
# 同一网络每小时可提交的登记，防止恶意占用
REGISTRATIONS_AN_HOUR = env.int("REGISTRATIONS_AN_HOUR", default=600)
RETENTION_YEARS = env.int("RETENTION_YEARS", default=3)  # 个人信息：办结满3年抹去

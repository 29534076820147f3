"""运行日报: a letter each morning to 系统管理 about what does not work. If all is well, none is sent."""

from datetime import datetime, timedelta

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.roles import Role
from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties.kinds import Kind, daily
from zhoushan_consult.outbox.kinds import LetterKind, account_closed
from zhoushan_consult.outbox.posting import Recipient, post

from .findings import Findings, collect


def compose(found: Findings) -> list[str]:
    """A sentence for each finding, with what to do about it; an empty list if all is well."""
    return [sentence for sentence in _sentences(found) if sentence]


def _sentences(found: Findings) -> list[str]:
    return [
        found.bad_keys and f"密钥自检没有通过：{found.bad_keys}请立即核对密钥设置，不要重启服务。",
        _interruption(found),
        found.missed_duties
        and f"有{found.missed_duties}项定时任务错过未执行，请在“定时任务”里再执行一次，或记为不再补做。",
        found.failed_duties
        and f"有{found.failed_duties}项定时任务失败，正在自动重试，请在“定时任务”里查看原因。",
        found.failed_letters and f"有{found.failed_letters}条通知发送失败，请在“通知”里重试，或改为电话。",
        found.oldest_unsent
        and f"最早一条未送出的通知自{_moment(found.oldest_unsent)}起在等待，请检查短信、邮件通道。",
        found.unsealed and f"有{found.unsealed}条办理留痕超过3小时没有封存，请查看“办理留痕封存”任务。",
        found.year_unknown
        and f"{found.year_unknown}年的放假安排还没有录入，期限暂按法律规定的节日推算；公布后请在“工作日调整”里录入。",
    ]


def _interruption(found: Findings) -> str:
    if not found.silent_from:
        return ""
    since = f"定时巡查自{_moment(found.silent_from)}起没有动静"
    if found.silent_until:
        return f"{since}，{_moment(found.silent_until)}恢复；其间的任务已补做或记为错过，请查看中断原因。"
    return f"{since}，请检查后台任务进程是否在运行。"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%-m月%-d日%H:%M}"


def send(about: str, due_at: datetime, now: datetime) -> int:
    """Send the findings to everyone in 系统管理, by SMS and e-mail. Returns the number of findings."""
    sentences = compose(collect(now))
    for officer in Officer.objects.with_role(Role.SYSTEM) if sentences else []:
        to = Recipient.officer(officer)
        post("health_digest", about=officer, to=to, key=about, at=now, sentences=sentences)
    return len(sentences)


LETTERS = [
    LetterKind(
        name="health_digest",
        title="运行情况需要处理",
        facts=lambda officer, params, now: {"sentences": params["sentences"]},
        outdated=account_closed,
        useful_for=timedelta(days=1),
    )
]

DIGEST = Kind(
    name="health_digest",
    label="运行日报",
    schedule=daily("08:20"),
    run=send,
    useful_for=timedelta(hours=12),
)

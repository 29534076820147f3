"""``manage.py rehearse --from 2026-11-25 --to 2026-12-20``: what the site would do by itself, day by day."""

from collections import Counter
from datetime import date

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from zhoushan_consult.upkeep.rehearsal import RehearsedDay, count_unreachable_officers, rehearse

LONGEST = 200  # days
WEEKDAYS = "一二三四五六日"


class Command(BaseCommand):
    help = "演练：在数据副本上把一段日子走一遍，逐日列出会执行的任务和会发出的通知。不发出任何通知，不改动任何数据。--verbosity 2 时列出无事的任务。"

    def add_arguments(self, parser):
        parser.add_argument("--from", dest="first", required=True, help="第一天，如 2026-11-25")
        parser.add_argument("--to", dest="last", required=True, help="最后一天，如 2026-12-20")

    def handle(self, *args, first: str, last: str, **options):
        begins, ends = _date(first), _date(last)
        if not 0 <= (ends - begins).days < LONGEST:
            raise CommandError(f"结束日期不能早于开始日期，一次最多演练 {LONGEST} 天。")
        self.stdout.write(f"演练 {begins} 至 {ends}：在数据副本上进行，不发出任何通知，不改动任何数据。")
        self.stdout.write("假定其间没有新的登记，也没有人办理；时间按北京时间。")
        if unreached := count_unreachable_officers():
            self.stdout.write(
                f"注意：有 {unreached} 名工作人员没有登记手机和邮箱，收不到提醒，请在“工作人员”里补上。"
            )
        total: Counter[str] = Counter()
        try:
            for played in rehearse(begins, ends):
                self._show(played, named=options["verbosity"] > 1)
                total.update(_by_channel(played))
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"\n合计：{_counted(total) or '没有通知'}。演练结束，副本已删除。")

    def _show(self, played: RehearsedDay, *, named: bool) -> None:
        day = played.day
        self.stdout.write(f"\n{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）")
        done = [f"{label} {rows}条" for label, rows in played.rows.items()]
        done += [f"{label} 失败（{reason}）" for label, reason in played.failed.items()]
        quiet = played.quiet - played.rows.keys() - played.failed.keys()
        self.stdout.write(f"  任务　{'；'.join(done) or '没有要处理的'}。{_routine(quiet, named)}")
        for (title, to), channels in _grouped(played).items():
            self.stdout.write(f"  通知　{title}　{_counted(channels)}　→ {to}")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}”不是日期，请写成 2026-11-25 的样子。") from None


def _routine(labels: set[str], named: bool) -> str:
    """The duties that ran and found nothing to do: how many, and which where they are asked for."""
    names = f"：{'、'.join(sorted(labels))}" if named else ""
    return f"另有{len(labels)}项照常执行，无事{names}。" if labels else ""


def _grouped(played: RehearsedDay) -> dict[tuple[str, str], Counter[str]]:
    """The letters of a day by title and reader, and of each how many go by which channel."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for letter, count in played.letters.items():
        groups.setdefault((letter.title, letter.to), Counter())[letter.channel] += count
    return groups


def _by_channel(played: RehearsedDay) -> Counter[str]:
    channels: Counter[str] = Counter()
    for letter, count in played.letters.items():
        channels[letter.channel] += count
    return channels


def _counted(channels: Counter[str]) -> str:
    return "、".join(f"{channel}{count}条" for channel, count in channels.items())

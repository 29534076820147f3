"""`manage.py rehearse --from 2026-11-25 --to 2026-12-20`: what the service would do by itself, day by day."""

from collections import Counter
from datetime import date

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from zhoushan_consult.upkeep.rehearsal import RehearsedDay, count_unreachable_officers, rehearse

MAX_DAYS = 200
WEEKDAYS = "一二三四五六日"


class Command(BaseCommand):
    help = "演练：在数据副本上把一段日子走一遍，逐日列出会执行的任务和会发出的通知。不发出任何通知，不改动任何数据。--verbosity 2 时列出无事的任务。"

    def add_arguments(self, parser):
        parser.add_argument("--from", dest="first", required=True, help="第一天，如 2026-11-25")
        parser.add_argument("--to", dest="last", required=True, help="最后一天，如 2026-12-20")

    def handle(self, *args, first: str, last: str, **options):
        start, end = _parse_date(first), _parse_date(last)
        if not 0 <= (end - start).days < MAX_DAYS:
            raise CommandError(f"结束日期不能早于开始日期，一次最多演练 {MAX_DAYS} 天。")
        self.stdout.write(f"演练 {start} 至 {end}：在数据副本上进行，不发出任何通知，不改动任何数据。")
        self.stdout.write("假定其间没有新的登记，也没有人办理；时间按北京时间。")
        if unreached := count_unreachable_officers():
            self.stdout.write(
                f"注意：有 {unreached} 名工作人员没有登记手机和邮箱，收不到提醒，请在“工作人员”里补上。"
            )
        total: Counter[str] = Counter()
        try:
            for day_result in rehearse(start, end):
                self._show(day_result, named=options["verbosity"] > 1)
                total.update(_by_channel(day_result))
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"\n合计：{_format_counts(total) or '没有通知'}。演练结束，副本已删除。")

    def _show(self, day_result: RehearsedDay, *, named: bool) -> None:
        day = day_result.day
        self.stdout.write(f"\n{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）")
        done = [f"{label} {rows}条" for label, rows in day_result.rows.items()]
        done += [f"{label} 失败（{reason}）" for label, reason in day_result.failed.items()]
        quiet = day_result.quiet - day_result.rows.keys() - day_result.failed.keys()
        self.stdout.write(f"  任务　{'；'.join(done) or '没有要处理的'}。{_routine(quiet, named)}")
        for (title, to), channels in _grouped(day_result).items():
            self.stdout.write(f"  通知　{title}　{_format_counts(channels)}　→ {to}")


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}”不是日期，请写成 2026-11-25 的样子。") from None


def _routine(labels: set[str], named: bool) -> str:
    """The duties that ran and had nothing to do: how many, and which if `named`."""
    names = f"：{'、'.join(sorted(labels))}" if named else ""
    return f"另有{len(labels)}项照常执行，无事{names}。" if labels else ""


def _grouped(day_result: RehearsedDay) -> dict[tuple[str, str], Counter[str]]:
    """The letters of a day by title and recipient, with the number for each channel."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for letter, count in day_result.letters.items():
        groups.setdefault((letter.title, letter.to), Counter())[letter.channel] += count
    return groups


def _by_channel(day_result: RehearsedDay) -> Counter[str]:
    channels: Counter[str] = Counter()
    for letter, count in day_result.letters.items():
        channels[letter.channel] += count
    return channels


def _format_counts(channels: Counter[str]) -> str:
    return "、".join(f"{channel}{count}条" for channel, count in channels.items())

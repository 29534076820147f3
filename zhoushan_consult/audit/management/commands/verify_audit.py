"""核验办理留痕: finds the first row of the trail that was changed, removed or added outside this service."""

from django.core.management.base import BaseCommand, CommandError

from zhoushan_consult.audit.models import Entry, Seal
from zhoushan_consult.audit.sealing import contains_seal, find_problems


class Command(BaseCommand):
    help = "核验办理留痕是否被改动、删除或添加。发现问题时退出码为 1。"

    def add_arguments(self, parser):
        parser.add_argument("--known", metavar="封存回执", help="以前抄录在库外的封存回执，如 57:ab12…")

    def handle(self, *args, known=None, **options):
        if known and not contains_seal(known):
            raise CommandError("抄录的封存回执在库中找不到，留痕可能被截短。请立即保全数据库，并与备份比对。")
        if problem := next(find_problems(), None):
            raise CommandError(f"{problem}请立即保全数据库，并与备份比对。")
        last = Seal.objects.order_by("number").last()
        self.stdout.write(f"办理留痕完好：共{Entry.objects.count()}条，封存{last.number if last else 0}次。")
        if last:
            self.stdout.write(f"最近一次封存回执：{last.receipt}（请抄录到数据库以外，下次用 --known 核对）")

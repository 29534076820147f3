"""`manage.py sign_on_ticket --officer xitong`, or `--uscc … --name …`: a ticket for the trial sign-on."""

from django.core.management.base import BaseCommand, CommandError

from zhoushan_consult.sign_on.provider import Firm, InvalidTicket, Person, checked
from zhoushan_consult.sign_on.trial import issue


class Command(BaseCommand):
    help = "为统一身份登录的试用签发一张票据：十分钟内有效，只能用一次。"

    def add_arguments(self, parser):
        parser.add_argument("--officer", default="", help="工作人员的用户名")
        parser.add_argument("--uscc", default="", help="企业的统一社会信用代码")
        parser.add_argument("--name", default="", help="企业名称")

    def handle(self, *args, officer: str, uscc: str, name: str, **options):
        if bool(officer) == bool(uscc):
            raise CommandError("请写 --officer 用户名，或 --uscc 代码 --name 企业名称，只写一种。")
        try:
            self.stdout.write(issue(Person(officer) if officer else checked(Firm(uscc, name))))
        except InvalidTicket:
            raise CommandError("企业名称或统一社会信用代码不能识别，请核对。") from None

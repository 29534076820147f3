"""`manage.py reset_factor xitong`: for the last 系统管理, whom no other one can help."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.login import second_factor


class Command(BaseCommand):
    help = "在服务器上解除一名工作人员的动态口令和备用码。其他人能办的，请在管理后台“工作人员”里办理。"

    def add_arguments(self, parser):
        parser.add_argument("username", help="用户名")

    def handle(self, *args, username: str, **options):
        officer = Officer.objects.filter(username=username).first()
        if officer is None:
            raise CommandError(f"没有用户名为 {username} 的工作人员。")
        try:
            second_factor.reset_on_the_server(officer, at=timezone.now())
        except second_factor.NotBound as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"已解除。{officer.name}下次登录时重新绑定，并会收到通知。")

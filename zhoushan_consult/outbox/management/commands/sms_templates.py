"""manage.py sms_templates: every text of every SMS, to be registered with the vendor (报备), as SMS_TEMPLATES wants it."""

import json

from django.core.management.base import BaseCommand

from zhoushan_consult.outbox.sms_texts import kinds_by_sms, wordings


class Command(BaseCommand):
    help = "印出全部短信文本，供向短信平台报备；填上模板编号后即是 SMS_TEMPLATES。"

    def handle(self, *args, **options) -> None:
        self.stdout.write("# 逐条向短信平台报备，把得到的编号填进 code。")
        for kind in kinds_by_sms():
            for text in wordings(kind):
                quoted = json.dumps(text, ensure_ascii=False)  # which TOML reads the same
                self.stdout.write(f'\n[[{kind}]]\ncode = ""\ntext = {quoted}')

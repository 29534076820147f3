"""manage.py sms_templates: prints every text of every SMS in the format of SMS_TEMPLATES, for registration (报备)."""

import json

from django.core.management.base import BaseCommand

from zhoushan_consult.outbox.sms_texts import kinds_by_sms, wordings


class Command(BaseCommand):
    help = "印出全部短信文本，供向短信平台报备；填上模板编号后即是 SMS_TEMPLATES。"

    def handle(self, *args, **options) -> None:
        self.stdout.write("# 逐条向短信平台报备，把得到的编号填进 code。")
        for kind in kinds_by_sms():
            for text in wordings(kind):
                quoted = json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
                self.stdout.write(f'\n[[{kind}]]\ncode = ""\ntext = {quoted}')

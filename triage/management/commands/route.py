"""``manage.py route --jsonl FILE``: which division answers each text."""

from triage.routing import topic_files
from triage.routing.topic import DIVISIONS
from zhoushan_consult.jsonl_command import JsonLinesCommand


class Command(JsonLinesCommand):
    help = "按现行分办规则判断每行文字由哪个处室办理（不需要数据库）"
    shape = '{"id": …, "text": …}'

    def answer(self, item: dict) -> dict:
        if not isinstance(item.get("text"), str):
            raise ValueError("缺少文字字段 text")
        decision = topic_files.current().route(item["text"], str(item.get("firm_name") or ""))
        return {
            "primary": DIVISIONS[decision.primary],
            "co": [DIVISIONS[division] for division in decision.co],
            "scope": decision.scope,
            "sure": decision.sure,
            "topics": [finding.code for finding in decision.findings],
            "why": decision.why,
        }

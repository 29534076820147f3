"""`manage.py route --jsonl FILE`: which division answers each text, and with `--explain` why."""

from triage.routing import reasoning
from triage.routing.router import shipped_router
from triage.routing.topic import DIVISIONS
from zhoushan_consult.jsonl_command import JsonLinesCommand


class Command(JsonLinesCommand):
    help = "按随系统提供的分办规则判断每行文字由哪个处室办理（不需要数据库，所以不含综合处在后台的修改）"
    shape = '{"id": …, "text": …}'

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--explain", action="store_true", help="不输出 JSON，而是逐条写出整个判断过程，给人看"
        )

    def handle(self, *args, explain: bool = False, **options):
        self.explain = explain
        # An edit in the admin changes nothing here. Without this line its author would look for the fault there.
        self.heading = [f"所用规则：随系统提供的一版（{shipped_router().version}），不含综合处在后台的修改。"]
        super().handle(*args, **options)

    def answer(self, item: dict) -> dict:
        decision = shipped_router().route(*_text_and_firm(item))
        return {
            "primary": DIVISIONS[decision.primary],
            "co": [DIVISIONS[division] for division in decision.co],
            "scope": decision.scope,
            "sure": decision.sure,
            "topics": [finding.code for finding in decision.findings],
            "why": decision.why,
        }

    def output(self, item: dict, number: int) -> str:
        if not self.explain:
            return super().output(item, number)
        text, firm = _text_and_firm(item)
        steps = reasoning.lines(shipped_router().explain(text, firm))
        # The heading waits for the first text: only then does the output accept Chinese in any locale.
        heading, self.heading = self.heading, []
        return "\n".join([*heading, "", f"【{item.get('id', number)}】{text}", *steps])


def _text_and_firm(item: dict) -> tuple[str, str]:
    if not isinstance(item.get("text"), str):
        raise ValueError("缺少文字字段 text")
    return item["text"], str(item.get("firm_name") or "")

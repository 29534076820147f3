"""`manage.py similar --jsonl FILE`: for each query, the answered question that answers it."""

from appointments.similarity.index import best_match
from zhoushan_consult.jsonl_command import JsonLinesCommand


class Command(JsonLinesCommand):
    help = "在每行的已答复问题中找出能回答所提问题的一条，没有时为 -1（不需要数据库）"
    shape = '{"id": …, "query": …, "answered": [文字, …]}'

    def answer(self, item: dict) -> dict:
        """The index of the match, or -1, with the reason. Raises ValueError for a line of another shape."""
        query, answered = item.get("query"), item.get("answered")
        if not isinstance(query, str):
            raise ValueError("缺少文字字段 query")
        if not isinstance(answered, list) or not all(isinstance(text, str) for text in answered):
            raise ValueError("缺少文字列表 answered")
        match, why = best_match(query, answered)
        return {"match": match, "why": why}

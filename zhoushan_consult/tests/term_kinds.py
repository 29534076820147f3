"""A kind of letter with a term, for tests: it notes when its words reached the reader, or did not after all."""

from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.outbox.kinds import LetterKind

EVENTS: list[str] = []

LETTERS = [
    LetterKind(
        name="term",
        title="请在期限前答复",
        facts=lambda about, params, now: {"now": f"{now:%H:%M}"},
        outdated=lambda about, params, now: params.get("untrue", ""),
        delivered=lambda about, params, at: EVENTS.append(f"delivered {at.astimezone(SHANGHAI):%d %H:%M}"),
        lost=lambda about, params, at: EVENTS.append("lost"),
    )
]
PATH = f"{__name__}.LETTERS"

"""The kinds of letters of the tests of the outbox: their params are all that they say."""

from zhoushan_consult.outbox.kinds import LetterKind

LETTERS = [
    LetterKind(name=name, title="通知", facts=lambda about, params, now: dict(params))
    for name in ("all", "sms", "email", "news", "other", "signing")
]
PATH = f"{__name__}.LETTERS"

"""The kinds of letters of the tests of the outbox, all about a 处室.

Most say what is in their params. `fact` and its like say the `duty` of the 处室, and are outdated when it has none; `told`
keeps what they are told. `breaks` in the params names a function that raises when the duty is BROKEN.
"""

from datetime import datetime, timedelta

from zhoushan_consult.bureau.models import Division
from zhoushan_consult.outbox.kinds import LetterKind, Params

TITLES = {"all": "名额已安排", "news": "一条消息"}
BROKEN = "坏了"

told: list[tuple[str, Division, Params, datetime]] = []
"""The calls of `delivered` and `lost`: which, of what, with which params, and the instant."""


def _break(name: str, about: Division, params: Params) -> None:
    if params.get("breaks") == name and about.duty == BROKEN:
        raise ZeroDivisionError(f"{name}: {about.duty}")


def _facts(about: Division, params: Params, now: datetime) -> dict:
    _break("facts", about, params)
    return {"duty": about.duty}


def _outdated(about: Division, params: Params, now: datetime) -> str:
    _break("outdated", about, params)
    return "" if about.duty else "职责已撤销"


def _calendar(about: Division, params: Params, now: datetime) -> str:
    _break("calendar", about, params)
    return f"BEGIN:{about.duty}"


def _delivered(about: Division, params: Params, at: datetime) -> None:
    _break("delivered", about, params)
    told.append(("delivered", about, params, at))


def _lost(about: Division, params: Params, at: datetime) -> None:
    _break("lost", about, params)
    told.append(("lost", about, params, at))


def fact(name: str, **options) -> LetterKind:
    return LetterKind(
        name=name,
        title="职责通知",
        facts=_facts,
        outdated=_outdated,
        calendar=_calendar,
        delivered=_delivered,
        lost=_lost,
        **options,
    )


LETTERS = [
    *(
        LetterKind(
            name=name,
            title=TITLES.get(name, "通知"),
            facts=lambda about, params, now: dict(params),
            calendar=lambda about, params, now: params.get("calendar", ""),
        )
        for name in ("all", "sms", "email", "news", "other", "signing", "long")
    ),
    fact("fact"),
    fact("answer", answers_act=True),
    fact("brief", useful_for=timedelta(hours=2)),
]
PATH = f"{__name__}.LETTERS"

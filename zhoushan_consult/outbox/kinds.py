"""What a kind of letter declares: its facts, what must still be true when it leaves, and until when it is of use.

A letter is written with the act that it tells of, but it is an intention until it leaves: by then the seat may be given up,
the place changed, the day over. So `delivery` asks the kind again at that instant, and renders the text from the facts of
that instant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db.models import Model
from django.utils.module_loading import import_string

from zhoushan_consult.bureau.models import Officer

# What the author of a letter wrote down with it: ids and plain values, as they are stored.
Params = dict


def always(about: Model, params: Params, now: datetime) -> str:
    """Nothing that can happen later makes a letter of this kind untrue."""
    return ""


def account_closed(officer: Officer, params: Params, now: datetime) -> str:
    """For letters about the officer to whom they go."""
    return "" if officer.is_active else "账号已停用"


def no_calendar(about: Model, params: Params, now: datetime) -> str:
    return ""


def no_effect(about: Model, params: Params, at: datetime) -> None:
    return None


@dataclass(frozen=True)
class LetterKind:
    """A kind of letter. Each function gets the record that the letter is about, its params, and an instant.

    `facts` are the variables of the templates at that instant. `outdated` says in a few Chinese words why the letter must not
    leave any more, "" while it may. `answers_act`: the firm or officer has just acted and waits for this answer, so it leaves
    at night too. `delivered` is called once, when the words have first reached the reader, by SMS, e-mail or telephone, with the
    instant that they were rendered for: a term that the reader must keep begins then. `lost` is called when it turns out later
    that the SMS did not arrive. `related` names the records that these functions read with the one that the letter is about, as
    for `select_related`.
    """

    name: str
    title: str
    facts: Callable[[Model, Params, datetime], dict]
    outdated: Callable[[Model, Params, datetime], str] = always
    calendar: Callable[[Model, Params, datetime], str] = no_calendar
    delivered: Callable[[Model, Params, datetime], None] = no_effect
    lost: Callable[[Model, Params, datetime], None] = no_effect
    useful_for: timedelta | None = None
    answers_act: bool = False
    related: tuple[str, ...] = ()

    def why_not(self, about: Model, params: Params, written_at: datetime, now: datetime) -> str:
        """Why a letter written at `written_at` must not leave at `now`; "" if it may."""
        if self.useful_for and now > written_at + self.useful_for:
            return "已过时效"
        return self.outdated(about, params, now)


def find(name: str) -> LetterKind:
    """The kind with this name. Raises LookupError if no floor declares it."""
    return _declared(tuple(settings.LETTER_KINDS))[name]


def exists(name: str) -> bool:
    return name in _declared(tuple(settings.LETTER_KINDS))


@lru_cache(maxsize=4)
def _declared(paths: tuple[str, ...]) -> dict[str, LetterKind]:
    """The lists named in settings.LETTER_KINDS: the kernel may not import the floors above."""
    declared = [kind for path in paths for kind in import_string(path)]
    by_name = {kind.name: kind for kind in declared}
    if len(by_name) != len(declared):
        raise ValueError("two kinds of letters have the same name")
    return by_name

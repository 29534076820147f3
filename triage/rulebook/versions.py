"""The rules in force (五（一）): the newest version that 综合处 saved, else the one that comes with the service.

A version holds every topic, each switched on or off and, if wished, from a date. It is compiled once in a process and
looked after every few seconds, so that an edit reaches every web and worker process within the minute.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sessions_app.calendar import SHANGHAI
from triage.models import RuleVersion
from triage.routing import topic_files
from triage.routing.router import RuleBook
from triage.routing.topic import Topic
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act

LOOKED_AFTER = 20  # seconds for which a process goes by the version that it knows


class ChangedByAnother(Refused):
    def __init__(self):
        super().__init__("规则刚被他人修改，本次没有保存。填写的内容都在，请对照最新一版后再保存。")


@dataclass(frozen=True)
class Rule:
    """A topic as 综合处 keeps it: switched off, or from a date, it stays in the book and decides nothing."""

    topic: Topic
    on: bool = True
    since: date | None = None

    def holds(self, day: date) -> bool:
        return self.on and (self.since is None or self.since <= day)


Rules = tuple[Rule, ...]


# --- Reading ---------------------------------------------------------------------------------------------------------
def newest() -> tuple[int, Rules]:
    """The number of the newest version, 0 for the shipped one, and its rules."""
    version = RuleVersion.objects.order_by("-number").first()
    return (version.number, rules_of(version)) if version else (0, shipped())


def rules_of(version: RuleVersion) -> Rules:
    return tuple(from_json(entry) for entry in version.topics)


def shipped() -> Rules:
    return tuple(Rule(topic) for topic in topic_files.shipped())


def from_json(entry: Mapping) -> Rule:
    fields = dict(entry)
    on, since = fields.pop("on"), fields.pop("since")
    return Rule(topic_files.from_mapping(fields), on, date.fromisoformat(since) if since else None)


def as_json(rule: Rule) -> dict:
    return {
        **topic_files.as_mapping(rule.topic),
        "on": rule.on,
        "since": rule.since.isoformat() if rule.since else "",
    }


def compiled(rules: Rules, day: date) -> RuleBook:
    """What `rules` say on `day`, beside the precedents; what 综合处 made, moved or added weighs more than these."""
    topics = [rule.topic for rule in rules if rule.holds(day)]
    shipped = {topic.code: topic for topic in topic_files.shipped()}
    words = {word for topic in topics for word in topic.include}
    return RuleBook(
        topics,
        topic_files.precedents(),
        topic_files.neighbours(),
        own_topics={topic.code for topic in topics if _place(topic) != _place(shipped.get(topic.code))},
        own_words=words - {word for topic in shipped.values() for word in topic.include},
    )


def _place(topic: Topic | None) -> tuple:
    """Who answers a topic, and whether it is ours."""
    return (topic.lead, topic.support, topic.scope) if topic else ()


@dataclass(frozen=True)
class _Kept:
    looked: float
    edition: tuple
    book: RuleBook


_kept: _Kept | None = None


def in_force(now: datetime) -> RuleBook:
    """The rules as they hold at `now`, as this process last saw them."""
    global _kept
    if _kept and abs(time.monotonic() - _kept.looked) < LOOKED_AFTER:
        return _kept.book
    edition = _edition(now)
    book = _kept.book if _kept and _kept.edition == edition else compiled(newest()[1], edition[1])
    _kept = _Kept(time.monotonic(), edition, book)
    return book


def _edition(now: datetime) -> tuple:
    """What changes whenever the rules in force do."""
    newest_number = RuleVersion.objects.order_by("-number").values_list("number", flat=True).first()
    return newest_number, now.astimezone(SHANGHAI).date()


# --- Writing ---------------------------------------------------------------------------------------------------------
def save(rules: Rules, remark: str, figures: dict, *, base: int, by: Officer, at: datetime) -> RuleVersion:
    """Make `rules` the newest version. `base`: the number of the version that the officer began from.

    Raises ValidationError with every fault of the rules, ChangedByAnother where a newer version was saved meanwhile.
    """
    by.must(Act.RULES)
    faults = topic_files.validate(rule.topic for rule in rules)
    if faults:
        raise ValidationError(faults)
    if (RuleVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0) != base:
        raise ChangedByAnother
    try:
        with transaction.atomic():
            made = RuleVersion.objects.create(
                number=base + 1,
                topics=[as_json(rule) for rule in rules],
                remark=remark,
                figures=figures,
                by=by,
                at=at,
            )
            record(Verb.RULES_CHANGED, made, by=by, at=at, why=remark)
    except IntegrityError:
        raise ChangedByAnother from None
    look_again()
    return made


def look_again() -> None:
    """Let this process see at once what was just saved in it."""
    global _kept
    _kept = None


def with_rule(rules: Rules, changed: Rule, code: str = "") -> Rules:
    """`rules` with the one of `code` changed, or with one more."""
    if not any(rule.topic.code == code for rule in rules):
        return (*rules, changed)
    return tuple(changed if rule.topic.code == code else rule for rule in rules)


def switched(rule: Rule, on: bool) -> Rule:
    return replace(rule, on=on)

"""Versions of the rules (五（一）): the newest one that 综合处 saved is active, else the one that comes with the service.

A version holds every topic, each switched on or off and, if wished, from a date. Each process compiles it once and
checks every few seconds for a newer one, so an edit reaches every web and worker process within the minute.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from triage.models import RuleVersion
from triage.routing import topic_files
from triage.routing.classifier import shipped_classifier
from triage.routing.router import Router
from triage.routing.topic import Topic
from triage.routing.validation import validate
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act
from zhoushan_consult.clock import local_date
from zhoushan_consult.refreshed_cache import RefreshedCache

# Seconds between two checks for a newer version. The pages promise 一分钟内在各处生效.
CHECK_EVERY = 20


class ChangedByAnother(Refused):
    def __init__(self):
        super().__init__("规则刚被他人修改，本次没有保存。填写的内容都在，请对照最新一版后再保存。")


@dataclass(frozen=True)
class Rule:
    """A topic as 综合处 keeps it. Switched off, or before its date, it stays in the version and decides nothing."""

    topic: Topic
    on: bool = True
    since: date | None = None

    def is_active(self, day: date) -> bool:
        return self.on and (self.since is None or self.since <= day)


Rules = tuple[Rule, ...]


# --- Reading ---------------------------------------------------------------------------------------------------------
def newest() -> tuple[int, Rules]:
    """The number of the newest version, 0 for the shipped one, and its rules."""
    version = RuleVersion.objects.order_by("-number").first()
    return (version.number, rules_of(version)) if version else (0, shipped_rules())


def rules_of(version: RuleVersion) -> Rules:
    return tuple(from_json(entry) for entry in version.topics)


def shipped_rules() -> Rules:
    return tuple(Rule(topic) for topic in topic_files.shipped_topics())


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


def build_router(rules: Rules, day: date) -> Router:
    """The router that `rules` give on `day`. The classifier cannot overrule what 综合处 made, moved or added."""
    topics = [rule.topic for rule in rules if rule.is_active(day)]
    shipped = {topic.code: topic for topic in topic_files.shipped_topics()}
    # Only words that no shipped topic has: moving a shipped word between topics is not an addition.
    words = {word for topic in topics for word in topic.include}
    return Router(
        topics,
        shipped_classifier(),
        edited_topics={
            topic.code
            for topic in topics
            if _responsibility(topic) != _responsibility(shipped.get(topic.code))
        },
        added_words=words - {word for topic in shipped.values() for word in topic.include},
    )


def _responsibility(topic: Topic | None) -> tuple:
    """Who answers a topic, and whether it is within the bureau's duty."""
    return (topic.lead, topic.support, topic.scope) if topic else ()


def _edition(now: datetime) -> tuple:
    """Changes whenever the active rules do: with a new version, or at midnight if a rule has a date."""
    number = RuleVersion.objects.order_by("-number").values_list("number", flat=True).first()
    return number, local_date(now)


def _load(now: datetime) -> Router:
    return build_router(newest()[1], local_date(now))


def new_router_cache(clock: Callable[[], float] = time.monotonic) -> RefreshedCache[Router]:
    """What each process keeps. A test makes a second one to stand for another process."""
    return RefreshedCache(_load, _edition, CHECK_EVERY, clock=clock)


router_cache = new_router_cache()


def active_router(now: datetime) -> Router:
    """The rules that are active at `now`, as this process last saw them."""
    return router_cache.get(now)


# --- Writing ---------------------------------------------------------------------------------------------------------
def save(rules: Rules, remark: str, figures: dict, *, base: int, by: Officer, at: datetime) -> RuleVersion:
    """Make `rules` the newest version. `base`: the number of the version that the officer edited.

    Raises ValidationError with every fault of the rules, and ChangedByAnother if a newer version was saved meanwhile.
    """
    by.must(Act.RULES)
    faults = validate(rule.topic for rule in rules)
    if faults:
        raise ValidationError(faults)
    # The officer saw the impact against version `base`; against a newer one it would be another.
    if (RuleVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0) != base:
        raise ChangedByAnother
    try:
        with transaction.atomic():
            version = RuleVersion.objects.create(
                number=base + 1,
                topics=[as_json(rule) for rule in rules],
                remark=remark,
                figures=figures,
                by=by,
                at=at,
            )
            record(Verb.RULES_CHANGED, version, by=by, at=at, why=remark)
    except IntegrityError:
        # Two officers saved in the same instant: the number of a version is unique, so the second one is refused.
        raise ChangedByAnother from None
    # The officer's next page comes perhaps from this process, and must show the saved rules.
    router_cache.invalidate()
    return version


def replace_rule(rules: Rules, changed: Rule, code: str = "") -> Rules:
    """`rules` with `changed` in the place of the rule with `code`, or at the end if there is none."""
    if not any(rule.topic.code == code for rule in rules):
        return (*rules, changed)
    return tuple(changed if rule.topic.code == code else rule for rule in rules)

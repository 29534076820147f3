"""公开答复: questions that were clearly answered before, for every firm to read (五（二）：已明确予以解答的重复事项).

One officer drafts, another publishes. No text names the firm that asked. A published answer is never edited: it is withdrawn or
replaced, with the date. A draft waits for the second officer; one that was sent back (it has a remark) waits for its drafter.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from sessions_app.notifications import moment_key, to_officers
from zhoushan_consult.audit.trail import record
from zhoushan_consult.audit.verbs import Verb
from zhoushan_consult.bureau.models import Division, Officer
from zhoushan_consult.bureau.refusals import Refused
from zhoushan_consult.bureau.roles import Act, Role

from .models import Appointment, Publicity, PublishedAnswer
from .similarity.cached_index import CachedIndex
from .text.anonymity import identifying_details

_SIMILAR_FOUND = 30  # answers that a search adds by similarity to those that contain its words


class ChangedMeanwhile(Refused):
    def __init__(self):
        super().__init__("这条答复刚被他人改动，本次操作没有生效。请查看最新内容后再决定。")


class NeedsSecondOfficer(Refused):
    def __init__(self):
        super().__init__("拟稿人不能自己审核公开，请另一位有权限的同志核对后公开。")


@dataclass(frozen=True)
class Wording:
    """The text that the public reads."""

    question: str
    answer: str
    law: str
    division: Division
    topic: str


@transaction.atomic
def propose(
    wording: Wording,
    *,
    source: Appointment | None = None,
    replaces: PublishedAnswer | None = None,
    by: Officer,
    at: datetime,
) -> PublishedAnswer:
    """Draft an answer for publication, from scratch, from a registration, or to replace a public one; the others who may
    publish are told.

    Raises ValidationError, by field, where a text identifies a person or a firm.
    """
    by.must(Act.PUBLISH)
    made = PublishedAnswer(**vars(wording), source=source, replaces=replaces, drafted_by=by, changed_at=at)
    _must_be_anonymous(made)
    made.save()
    record(Verb.ANSWER_PROPOSED, made, by=by, at=at)
    _tell_checkers(made, at=at)
    return made


@transaction.atomic
def amend(draft: PublishedAnswer, wording: Wording, *, version: int, by: Officer, at: datetime) -> None:
    """Change a draft; the officer who changed it last is its drafter. Raises ChangedMeanwhile, ValidationError as `propose`.

    The second officers are told of a draft that came back, and where another one has to check it now.
    """
    by.must(Act.PUBLISH)
    waits_already = not draft.remark and draft.drafted_by_id == by.pk
    for name, value in vars(wording).items():
        setattr(draft, name, value)
    _must_be_anonymous(draft)
    _move(draft, Publicity.DRAFT, at=at, version=version, **vars(wording), drafted_by=by, remark="")
    record(Verb.ANSWER_AMENDED, draft, by=by, at=at)
    if not waits_already:
        _tell_checkers(draft, at=at)


@transaction.atomic
def publish(draft: PublishedAnswer, *, version: int, by: Officer, at: datetime) -> None:
    """Publish a draft and tell its drafter; the answer that it replaces is superseded. Raises NeedsSecondOfficer,
    ChangedMeanwhile.
    """
    by.must(Act.PUBLISH)
    if by.pk == draft.drafted_by_id:
        raise NeedsSecondOfficer
    _move(draft, Publicity.PUBLISHED, at=at, version=version, approved_by=by, published_at=at, remark="")
    record(Verb.ANSWER_PUBLISHED, draft, by=by, at=at)
    _tell_drafter("answer_published", draft, by=by, at=at)
    if draft.replaces and draft.replaces.state == Publicity.PUBLISHED:
        _move(draft.replaces, Publicity.SUPERSEDED, at=at, ended_at=at)
        record(Verb.ANSWER_SUPERSEDED, draft.replaces, by=by, at=at)


@transaction.atomic
def send_back(draft: PublishedAnswer, remark: str, *, version: int, by: Officer, at: datetime) -> None:
    """Return a draft to its drafter with a remark, and tell them."""
    by.must(Act.PUBLISH)
    _move(draft, Publicity.DRAFT, at=at, version=version, remark=remark)
    record(Verb.ANSWER_SENT_BACK, draft, by=by, at=at, why=remark)
    _tell_drafter("answer_sent_back", draft, by=by, at=at)


@transaction.atomic
def drop(draft: PublishedAnswer, remark: str, *, version: int, by: Officer, at: datetime) -> None:
    """Decide not to publish a draft, and tell its drafter."""
    by.must(Act.PUBLISH)
    _move(draft, Publicity.DROPPED, at=at, version=version, remark=remark)
    record(Verb.ANSWER_DROPPED, draft, by=by, at=at, why=remark)
    _tell_drafter("answer_dropped", draft, by=by, at=at)


@transaction.atomic
def withdraw(answer: PublishedAnswer, remark: str, *, by: Officer, at: datetime) -> None:
    """Withdraw a published answer: its page says so, with the date."""
    by.must(Act.PUBLISH)
    _move(answer, Publicity.WITHDRAWN, at=at, ended_at=at, remark=remark)
    record(Verb.ANSWER_WITHDRAWN, answer, by=by, at=at, why=remark)


_BEFORE = {
    Publicity.DRAFT: Publicity.DRAFT,
    Publicity.PUBLISHED: Publicity.DRAFT,
    Publicity.DROPPED: Publicity.DRAFT,
    Publicity.WITHDRAWN: Publicity.PUBLISHED,
    Publicity.SUPERSEDED: Publicity.PUBLISHED,
}


def _move(
    answer: PublishedAnswer, state: Publicity, /, *, at: datetime, version: int | None = None, **changes
) -> None:
    """A conditional UPDATE from the one state that leads to `state`, and from the version that the officer read."""
    version = answer.version if version is None else version
    changes |= {"state": state, "changed_at": at, "version": version + 1}
    here = PublishedAnswer.objects.filter(pk=answer.pk, state=_BEFORE[state], version=version)
    if not here.update(**changes):
        raise ChangedMeanwhile
    for name, value in changes.items():
        setattr(answer, name, value)
    transaction.on_commit(published_index.invalidate)


def _tell_checkers(draft: PublishedAnswer, *, at: datetime) -> None:
    """Everyone who may publish it: not its drafter."""
    checkers = Officer.objects.who_may(Act.PUBLISH).exclude(pk=draft.drafted_by_id)
    to_officers(checkers, "answer_to_publish", draft, at=at, key=moment_key(at))


def _tell_drafter(kind: str, draft: PublishedAnswer, *, by: Officer, at: datetime) -> None:
    """Its drafter; 综合处 where the drafter works on public answers no more. An officer is not told of an own act."""
    drafter = Officer.objects.who_may(Act.PUBLISH).filter(pk=draft.drafted_by_id)
    told = drafter or Officer.objects.with_role(Role.COORDINATOR)
    to_officers(told.exclude(pk=by.pk), kind, draft, at=at, key=moment_key(at))


def _must_be_anonymous(draft: PublishedAnswer) -> None:
    names = (draft.source.enterprise_name, draft.source.contact_name) if draft.source else ()
    errors = {
        field: f"公开的文字里不能有{'、'.join(found)}，请改成不指明是谁的说法。"
        for field in ("question", "answer")
        if (found := identifying_details(getattr(draft, field), names))
    }
    if errors:
        raise ValidationError(errors)


@dataclass(frozen=True)
class Drafts:
    """Drafts that wait for one officer, the longest waiting first: as the second one, or as the drafter."""

    to_check: list[PublishedAnswer]
    sent_back: list[PublishedAnswer]


def drafts_for(officer: Officer) -> Drafts:
    """The drafts that wait for `officer`. What came back to an officer who works on public answers no more is everyone's."""
    gone = ~Q(drafted_by__in=Officer.objects.who_may(Act.PUBLISH))
    drafts = PublishedAnswer.objects.filter(state=Publicity.DRAFT).annotate(orphaned=gone)
    waiting = list(drafts.select_related("division", "drafted_by").order_by("changed_at", "pk"))
    mine = [draft.drafted_by_id == officer.pk for draft in waiting]
    pairs = list(zip(waiting, mine, strict=True))
    return Drafts(
        to_check=[draft for draft, own in pairs if not draft.remark and not own],
        sent_back=[draft for draft, own in pairs if draft.remark and (own or draft.orphaned)],
    )


# --- Reading ---------------------------------------------------------------------------------------------------------
def published() -> QuerySet[PublishedAnswer]:
    return PublishedAnswer.objects.filter(state=Publicity.PUBLISHED).select_related("division")


def _edition() -> tuple:
    return tuple(PublishedAnswer.objects.aggregate(Count("pk"), Max("changed_at")).values())


def new_published_index(clock: Callable[[], float] = time.monotonic) -> CachedIndex[int]:
    """What each process keeps. A test makes a second one to stand for another process."""
    return CachedIndex(_edition, lambda: published().values_list("pk", "question"), clock=clock)


published_index = new_published_index()


def similar(text: str, limit: int) -> list[tuple[PublishedAnswer, str]]:
    """The published answers most similar to `text`, best first, each with the reason."""
    found = published_index.search(text, limit)
    answers = published().in_bulk([match.key for match in found]) if found else {}
    return [(answers[match.key], match.why) for match in found if match.key in answers]


def search(text: str) -> QuerySet[PublishedAnswer]:
    """Published answers that contain `text` or are similar to it; all of them for an empty text."""
    if not text:
        return published()
    alike = [match.key for match in published_index.search(text, _SIMILAR_FOUND)]
    return published().filter(Q(pk__in=alike) | Q(question__icontains=text) | Q(answer__icontains=text))

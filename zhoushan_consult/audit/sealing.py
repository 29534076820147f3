"""The hourly seal: what the trail held is bound into a chain, so that nothing can leave it unnoticed.

Writers never wait for each other: an entry carries only its own stamp, and the chain is made afterwards. A
row gets its number when it is written but is seen when its transaction ends, so it may appear below rows
that are sealed already. A seal therefore names its entries one by one (`members`) and never says "up to
here": a late row is simply in the next seal. Only RECHECKED_SEALS seals back, where no transaction can still be
open, does an unsealed row count as put there by a strange hand. Sealing adds one row and changes none: the
database role needs no UPDATE.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Max
from django.utils.crypto import constant_time_compare
from django.utils.timezone import localtime

from zhoushan_consult.duties.kinds import Kind, every

from .mac import code, is_true
from .models import Entry, Seal
from .number_ranges import gaps, read, written

RECHECKED_SEALS = 48  # seals, so two days at least: far longer than any transaction is let live
PIECE = 1000  # entries read at a time

log = logging.getLogger(__name__)


def seal(*, at: datetime) -> Seal | None:
    """Seal what is written and not yet sealed; None where there is nothing. Call it inside a transaction."""
    fresh = {entry.pk: entry.stamp for entry in _unsealed()}
    if not fresh:
        return None
    last = Seal.objects.order_by("number").last()
    made = Seal(
        number=last.number + 1 if last else 1,
        at=at,
        members=written(fresh),
        last_entry=max(fresh),
        content=_content(fresh),
    )
    made.mac = _mac(made, last)
    made.save(force_insert=True)
    log.info("audit seal %s", made.receipt)  # outside the database, where its owner cannot take it back
    return made


def faults() -> Iterator[str]:
    """What is wrong, the first fault first: entries changed, missing or added, seals changed or missing."""
    previous = None
    for present in Seal.objects.order_by("number").iterator():
        yield from _faults_of(present, previous)
        previous = present
    yield from _strangers()
    yield from (_untrue(entry) for entry in _unsealed() if not is_true(entry))


def holds(receipt: str) -> bool:
    """Whether the chain still has the seal of a receipt that was noted earlier ("57:ab12…")."""
    number, _, mac = receipt.partition(":")
    return number.isdecimal() and Seal.objects.filter(number=int(number), mac=mac).exists()


def count_unsealed_before(at: datetime) -> int:
    """How many entries of before `at` are in no seal yet: none, where sealing goes on as it should."""
    return sum(entry.at < at for entry in _unsealed())


def _content(stamps: dict[int, str]) -> str:
    return code(*(f"{pk} {stamps[pk]}" for pk in sorted(stamps)))


def _mac(seal: Seal, previous: Seal | None) -> str:
    at = seal.at.astimezone(UTC).isoformat(timespec="microseconds")
    before = previous.mac if previous else ""
    return code(before, str(seal.number), at, seal.members, str(seal.last_entry), seal.content)


def _unsealed() -> Iterator[Entry]:
    recent = Seal.objects.order_by("-number")[:RECHECKED_SEALS]
    sealed = {pk for seal in recent for run in read(seal.members) for pk in run}
    rows = Entry.objects.filter(pk__gt=_settled()).order_by("pk")
    return (entry for entry in rows.iterator() if entry.pk not in sealed)


def _settled() -> int:
    """The number of the last entry below which every row has been sealed that ever will be."""
    newest = Seal.objects.aggregate(newest=Max("number"))["newest"] or 0
    return (
        Seal.objects.filter(number__lte=newest - RECHECKED_SEALS).aggregate(last=Max("last_entry"))["last"]
        or 0
    )


def _faults_of(seal: Seal, previous: Seal | None) -> Iterator[str]:
    expected = previous.number + 1 if previous else 1
    if seal.number != expected:
        yield f"第{expected}次封存记录缺失。"
    elif not constant_time_compare(seal.mac, _mac(seal, previous)):
        yield f"第{seal.number}次封存记录（{_when(seal)}）被改动过。"
    else:
        yield from _faults_within(seal)


def _faults_within(seal: Seal) -> Iterator[str]:
    stamps, sound = {}, True
    for pk, entry in _sealed_in(seal):
        if entry and is_true(entry):
            stamps[pk] = entry.stamp
            continue
        sound = False
        yield _untrue(entry) if entry else f"编号{pk}的留痕缺失：{_when(seal)}第{seal.number}次封存时还在。"
    if sound and seal.content != _content(stamps):
        yield f"第{seal.number}次封存（{_when(seal)}）的留痕互换过位置。"


def _sealed_in(seal: Seal) -> Iterator[tuple[int, Entry | None]]:
    for run in read(seal.members):
        for start in range(run.start, run.stop, PIECE):
            piece = range(start, min(start + PIECE, run.stop))
            present = Entry.objects.in_bulk(piece)
            yield from ((pk, present.get(pk)) for pk in piece)


def _strangers() -> Iterator[str]:
    runs = [run for text in Seal.objects.values_list("members", flat=True) for run in read(text)]
    for gap in gaps(runs, upto=_settled()):
        rows = Entry.objects.filter(pk__gte=gap.start, pk__lt=gap.stop).order_by("pk")
        for pk in rows.values_list("pk", flat=True):
            yield f"编号{pk}的留痕不在任何一次封存之中，是事后添加的。"


def _untrue(entry: Entry) -> str:
    return f"编号{entry.pk}的留痕（{entry.verb}）与印记不符：写入后被改动，或不是本系统写入的。"


def _when(seal: Seal) -> str:
    return f"{localtime(seal.at):%Y-%m-%d %H:%M}"


def _seal_hourly(about: str, due_at: datetime, now: datetime) -> int:
    made = seal(at=now)
    return sum(map(len, read(made.members))) if made else 0


SEAL = Kind(
    name="seal_trail",
    label="办理留痕封存",
    schedule=every(timedelta(hours=1)),
    run=_seal_hourly,
    useful_for=timedelta(hours=1),
    keep_empty_runs=False,
)

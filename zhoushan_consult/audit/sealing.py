"""The hourly seal: it links the entries into a chain, so that none can be removed unnoticed.

Writers never wait for each other: an entry has only its own MAC, and the chain is made afterwards. A row gets its
number when it is written, but becomes visible when its transaction ends. So a row may appear below rows that are
sealed already. A seal therefore lists its entries (`members`) and never says "up to here": a late row is in the next
seal. Only below the last RECHECKED_SEALS seals, where no transaction can still be open, an unsealed row counts as added
from outside. Sealing inserts one row and changes none: the database role needs no UPDATE.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Max
from django.utils.crypto import constant_time_compare

from zhoushan_consult.clock import SHANGHAI
from zhoushan_consult.duties.kinds import Kind, every

from .mac import compute_mac, verify
from .models import Entry, Seal
from .number_ranges import format_ranges, gaps, parse_ranges

# At one seal an hour these are two days: far longer than any transaction may last.
RECHECKED_SEALS = 48
# Entries read at a time, so that memory does not grow with the size of a seal.
READ_BATCH = 1000

log = logging.getLogger(__name__)


def seal(*, at: datetime) -> Seal | None:
    """Seal the entries that are not sealed yet; None if there are none. Call it inside a transaction."""
    stamps = {entry.pk: entry.stamp for entry in _unsealed()}
    if not stamps:
        return None
    last = Seal.objects.order_by("number").last()
    new = Seal(
        number=last.number + 1 if last else 1,
        at=at,
        members=format_ranges(stamps),
        last_entry=max(stamps),
        content=_content_mac(stamps),
    )
    new.mac = _chain_mac(new, last)
    new.save(force_insert=True)
    # The log is outside the database. An owner of the database cannot take the receipt back from there.
    log.info("audit seal %s", new.receipt)
    return new


def find_problems() -> Iterator[str]:
    """What is wrong, in Chinese, the oldest first: entries changed, missing or added, seals changed or missing."""
    previous = None
    for present in Seal.objects.order_by("number").iterator():
        yield from _problems_of(present, previous)
        previous = present
    yield from _entries_in_no_seal()
    yield from (_invalid(entry) for entry in _unsealed() if not verify(entry))


def contains_seal(receipt: str) -> bool:
    """Whether the chain still has the seal of a receipt that was noted earlier ("57:ab12…")."""
    number, _, mac = receipt.partition(":")
    return number.isdecimal() and Seal.objects.filter(number=int(number), mac=mac).exists()


def count_unsealed_before(at: datetime) -> int:
    """How many entries older than `at` are in no seal yet. None are, if sealing works."""
    return sum(entry.at < at for entry in _unsealed())


def _content_mac(stamps: dict[int, str]) -> str:
    return compute_mac(*(f"{pk} {stamps[pk]}" for pk in sorted(stamps)))


def _chain_mac(seal: Seal, previous: Seal | None) -> str:
    at = seal.at.astimezone(UTC).isoformat(timespec="microseconds")
    before = previous.mac if previous else ""
    return compute_mac(before, str(seal.number), at, seal.members, str(seal.last_entry), seal.content)


def _unsealed() -> Iterator[Entry]:
    recent = Seal.objects.order_by("-number")[:RECHECKED_SEALS]
    sealed = {pk for seal in recent for part in parse_ranges(seal.members) for pk in part}
    rows = Entry.objects.filter(pk__gt=_last_settled()).order_by("pk")
    return (entry for entry in rows.iterator() if entry.pk not in sealed)


def _last_settled() -> int:
    """The number up to which all entries that can still appear have been sealed."""
    newest = Seal.objects.aggregate(newest=Max("number"))["newest"] or 0
    old = Seal.objects.filter(number__lte=newest - RECHECKED_SEALS)
    return old.aggregate(last=Max("last_entry"))["last"] or 0


def _problems_of(seal: Seal, previous: Seal | None) -> Iterator[str]:
    expected = previous.number + 1 if previous else 1
    if seal.number != expected:
        yield f"第{expected}次封存记录缺失。"
    elif not constant_time_compare(seal.mac, _chain_mac(seal, previous)):
        yield f"第{seal.number}次封存记录（{_when(seal)}）被改动过。"
    else:
        yield from _problems_within(seal)


def _problems_within(seal: Seal) -> Iterator[str]:
    stamps, all_valid = {}, True
    for pk, entry in _sealed_entries(seal):
        if entry and verify(entry):
            stamps[pk] = entry.stamp
            continue
        all_valid = False
        yield _invalid(entry) if entry else f"编号{pk}的留痕缺失：{_when(seal)}第{seal.number}次封存时还在。"
    # Two valid entries that exchanged their numbers are found only here: the number is not in the MAC of an entry.
    if all_valid and seal.content != _content_mac(stamps):
        yield f"第{seal.number}次封存（{_when(seal)}）的留痕互换过位置。"


def _sealed_entries(seal: Seal) -> Iterator[tuple[int, Entry | None]]:
    for part in parse_ranges(seal.members):
        for start in range(part.start, part.stop, READ_BATCH):
            batch = range(start, min(start + READ_BATCH, part.stop))
            present = Entry.objects.in_bulk(batch)
            yield from ((pk, present.get(pk)) for pk in batch)


def _entries_in_no_seal() -> Iterator[str]:
    members = Seal.objects.values_list("members", flat=True)
    sealed = [part for text in members for part in parse_ranges(text)]
    for gap in gaps(sealed, up_to=_last_settled()):
        rows = Entry.objects.filter(pk__gte=gap.start, pk__lt=gap.stop).order_by("pk")
        for pk in rows.values_list("pk", flat=True):
            yield f"编号{pk}的留痕不在任何一次封存之中，是事后添加的。"


def _invalid(entry: Entry) -> str:
    return f"编号{entry.pk}的留痕（{entry.get_verb_display()}）与印记不符：写入后被改动，或不是本系统写入的。"


def _when(seal: Seal) -> str:
    return f"{seal.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _seal_hourly(about: str, due_at: datetime, now: datetime) -> int:
    new = seal(at=now)
    return sum(map(len, parse_ranges(new.members))) if new else 0


SEAL = Kind(
    name="seal_trail",
    label="办理留痕封存",
    schedule=every(timedelta(hours=1)),
    run=_seal_hourly,
    useful_for=timedelta(hours=1),
)

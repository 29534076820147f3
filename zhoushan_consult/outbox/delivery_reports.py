"""What became of an SMS that a gateway took: only the operator knows whether a telephone got it.

The gateway itself is asked, over the line by which the letter went, so nobody else can report; a report that comes
twice or late changes nothing that stands.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from .adapters import Permanent, Temporary
from .delivery import put_on_call_list
from .models import Channel, Notice, State

ASK_FROM, ASK_UNTIL = timedelta(minutes=1), timedelta(days=3)  # after the letter left
MOST = 50  # letters asked about in one round, the latest first


def ask_after(now: datetime) -> int:
    """Ask what became of the letters that left lately; one that did not arrive becomes a telephone call.

    Returns how many are settled now. Ends early where the gateway is in trouble: the next round asks again.
    """
    adapter = import_string(settings.OUTBOX_ADAPTERS[Channel.SMS])()
    settled = 0
    for notice in _unsettled(now)[:MOST] if adapter.reports else []:
        try:
            settled += _settle(notice, adapter.arrived(notice), now)
        except Permanent:  # the gateway knows nothing of this one
            continue
        except Temporary:
            break
    return settled


def _unsettled(now: datetime) -> QuerySet[Notice]:
    left = Notice.objects.filter(channel=Channel.SMS, state=State.SENT, arrived_at=None).exclude(
        gateway_id=""
    )
    return left.filter(sent_at__range=(now - ASK_UNTIL, now - ASK_FROM)).order_by("-sent_at", "-pk")


@transaction.atomic
def _settle(notice: Notice, arrived: bool | None, now: datetime) -> bool:
    if arrived is None:
        return False
    same = Notice.objects.filter(
        pk=notice.pk, state=State.SENT, gateway_id=notice.gateway_id, arrived_at=None
    )
    if arrived:
        return bool(same.update(arrived_at=now))
    missed = same.update(state=State.FAILED, last_error="运营商没有送达，可能停机、关机或号码有误")
    if missed:
        put_on_call_list(notice, now)
    return bool(missed)

"""Delivery reports: whether an SMS that a gateway took has reached the telephone. Only the operator knows.

We ask the gateway over the same authenticated connection by which the letter went, so a report cannot be forged. A
report that comes twice or late changes nothing.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from zhoushan_consult.duties.safe_error import describe

from . import reaching
from .adapters import PermanentFailure, TemporaryFailure
from .delivery import add_to_call_list
from .models import Channel, Notice, State
from .records import record_of

# How long after sending we ask for a report. Before, the operator has none; later, it no longer has one.
POLL_FROM, POLL_UNTIL = timedelta(minutes=1), timedelta(days=3)
# The most letters asked about in one run, the latest first.
BATCH_SIZE = 50

log = logging.getLogger(__name__)


def poll_reports(now: datetime) -> int:
    """Ask for the reports of the letters sent lately. A letter that was not delivered becomes a telephone call.

    Returns how many letters have their report now. Ends early if the gateway is in trouble: the next run asks again.
    """
    adapter = import_string(settings.OUTBOX_ADAPTERS[Channel.SMS])()
    reported = 0
    for notice in _unreported(now)[:BATCH_SIZE] if adapter.supports_reports else []:
        try:
            delivered = adapter.was_delivered(notice)
        except PermanentFailure:  # the gateway has no record of this one
            continue
        except TemporaryFailure:
            break
        except Exception as error:
            # One letter that the adapter cannot ask about must not keep the others from their reports.
            log.error("outbox: cannot ask about notice %s: %s", notice.pk, describe(error))
            continue
        reported += _apply_report(notice, delivered, now)
    return reported


def _unreported(now: datetime) -> QuerySet[Notice]:
    sent = Notice.objects.filter(channel=Channel.SMS, state=State.SENT, arrived_at=None)
    recent = sent.filter(sent_at__range=(now - POLL_UNTIL, now - POLL_FROM))
    return recent.exclude(gateway_id="").order_by("-sent_at", "-pk")


@transaction.atomic
def _apply_report(notice: Notice, delivered: bool | None, now: datetime) -> bool:
    if delivered is None:
        return False
    # `gateway_id`: if the letter was sent again since then, this report is about the earlier message.
    same_message = Notice.objects.filter(
        pk=notice.pk, state=State.SENT, gateway_id=notice.gateway_id, arrived_at=None
    )
    if delivered:
        return bool(same_message.update(arrived_at=now))
    failed = same_message.update(state=State.FAILED, last_error="运营商没有送达，可能停机、关机或号码有误")
    if failed:
        add_to_call_list(notice, now)
        reaching.lost(notice, record_of(notice), now)
    return bool(failed)

"""The Celery tasks that beat sends. They read the clock and carry no data."""

from celery import shared_task
from django.utils import timezone

from .delivery import deliver_due
from .delivery_reports import poll_reports


@shared_task(name="zhoushan_consult.outbox.tasks.sweep")
def sweep() -> None:
    deliver_due(timezone.now(), clock=timezone.now)


@shared_task(name="zhoushan_consult.outbox.tasks.ask")
def ask() -> None:
    poll_reports(timezone.now())

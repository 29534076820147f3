"""The door for beat: reads the clock, carries no data."""

from celery import shared_task
from django.utils import timezone

from .delivery import deliver_due


@shared_task(name="zhoushan_consult.outbox.tasks.sweep")
def sweep() -> None:
    deliver_due(timezone.now(), clock=timezone.now)

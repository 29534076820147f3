"""The Celery task that beat sends. It reads the clock and carries no data."""

from celery import shared_task
from django.utils import timezone

from .runner import run_due


@shared_task(name="zhoushan_consult.duties.tasks.make_rounds")
def make_rounds() -> None:
    run_due(timezone.now())

"""The Celery task that beat sends. It reads the clock and carries no data."""

from celery import shared_task
from django.utils import timezone

from .rulebook import suggestion


@shared_task(name="triage.tasks.store_routing_traces")
def store_routing_traces() -> None:
    suggestion.store_missing(timezone.now())

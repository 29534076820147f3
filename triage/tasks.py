"""The Celery task that beat sends. It reads the clock and carries no data."""

from celery import shared_task
from django.utils import timezone

from .rulebook import routing_traces


@shared_task(name="triage.tasks.store_routing_traces")
def store_routing_traces() -> None:
    routing_traces.store_missing(timezone.now())

"""Celery: beat makes the rounds, workers deliver what the database says is due."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")

TRANSPORT_ALIASES["filesystem"] = "zhoushan_consult.broker:Transport"  # kombu's own may lose messages

app = Celery("zhoushan_consult")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["zhoushan_consult.outbox", "zhoushan_consult.duties"])

"""The Celery app. Beat sends tasks without data; workers do what the database says is due."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zhoushan_consult.settings")

# Kombu's own filesystem transport can lose messages: see broker.py.
TRANSPORT_ALIASES["filesystem"] = "zhoushan_consult.broker:Transport"

app = Celery("zhoushan_consult")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The only packages with tasks.
app.autodiscover_tasks(["zhoushan_consult.outbox", "zhoushan_consult.duties", "triage"])

"""The service as `processes` runs it: as it is, with one more duty, whose deeds are counted.

A worker of `mishaps` has the duty DUTY alone, and at STANDS_AT its clock stands still.
"""

import os
from datetime import datetime

from django.utils import timezone

from zhoushan_consult.settings import *  # noqa: F403

DUTIES = ["e2e.mishaps.ONLY_DUTY"] if "DUTY" in os.environ else [*DUTIES, "e2e.counting.BELLS"]  # noqa: F405

if moment := os.environ.get("STANDS_AT"):
    timezone.now = lambda: datetime.fromisoformat(moment)

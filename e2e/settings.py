"""The settings of the service in `processes`: the real ones, with one more duty, which logs its runs.

A worker of `crash_points` has only the duty DUTY, and its clock stands still at FROZEN_TIME.
"""

import os
from datetime import datetime

from django.utils import timezone

from zhoushan_consult.settings import *  # noqa: F403

DUTIES = ["e2e.crash_points.ONLY_DUTY"] if "DUTY" in os.environ else [*DUTIES, "e2e.recording.TICKS"]  # noqa: F405

if moment := os.environ.get("FROZEN_TIME"):
    timezone.now = lambda: datetime.fromisoformat(moment)

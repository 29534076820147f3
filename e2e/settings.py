"""The service as `processes` runs it: as it is, with one more duty, whose deeds are counted."""

from zhoushan_consult.settings import *  # noqa: F403

DUTIES = [*DUTIES, "e2e.counting.BELLS"]  # noqa: F405

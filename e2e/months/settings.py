"""The settings of `make months`: those of the tests, with a database in memory and the gateway that the player can take down.

With DATABASE_URL the database is on that server.
"""

import os

os.environ.setdefault("LOG_LEVEL", "CRITICAL")

from zhoushan_consult.tests.settings import *  # noqa: F403

OUTBOX_ADAPTERS = {"sms": "e2e.months.gateway.Gateway", "email": "e2e.months.gateway.Gateway"}
if EMBEDDED:  # noqa: F405
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
# Sessions have tests of their own; in the database they would be a tenth of all statements.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

"""The settings of the tests: own keys, no hashed file names, a quick password hasher. All else is as in `settings.py`."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("VAULT_KEYS", "t1:AAECAwQFBgcICQoLDA0ODw==")
os.environ.setdefault("VAULT_INDEX_KEY", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=")
os.environ.setdefault("AUDIT_KEY", "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=")
# The tests of the log-in set it; the others are about what comes after.
os.environ["STAFF_SECOND_FACTOR"] = "false"
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="consult-test-"))

from zhoushan_consult.settings import *  # noqa: F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The default is slow on purpose, and the tests create some thousand officers.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# No pool: a test does not commit, so only its own connection sees what it wrote.
DATABASE_CONNECTIONS = 0
if EMBEDDED:  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}  # noqa: F405  threads need a file, not memory
# Without the folder, whitenoise warns in each test.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405

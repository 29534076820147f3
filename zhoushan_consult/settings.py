"""Settings. All come from the environment (see .env.example).

Without DATABASE_URL this is the embedded run: SQLite, and files in var/.
"""

from pathlib import Path

import environ
from celery.schedules import timedelta
from csp.constants import NONE, SELF

from .clock import SHANGHAI
from .embedded import keys_file

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(environ.FileAwareEnv):
    def secret(self, name: str) -> str:
        """A secret exactly as the vendor issued it. `str()` would read a value that begins with $ as a variable name."""
        return self.ENVIRON.get(name, "").strip()


env = Env()

EMBEDDED = "DATABASE_URL" not in env.ENVIRON and "DATABASE_URL_FILE" not in env.ENVIRON
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
if EMBEDDED:
    environ.Env.read_env(keys_file(VAR_DIR))

# --- Secrets -----------------------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# "k2:base64,k1:base64". The first key seals; all of them open.
VAULT_KEYS = env.str("VAULT_KEYS", default="")
# To change this key, every blind index must be computed again.
VAULT_INDEX_KEY = env.str("VAULT_INDEX_KEY", default="")
AUDIT_KEY = env.str("AUDIT_KEY")

# --- Where it is served ------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# Links in letters are built from this only: the Host header of a request can be forged.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The number of our own proxies in front of this process. Only they are believed in X-Forwarded-For.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
WSGI_APPLICATION = "zhoushan_consult.wsgi.application"
ROOT_URLCONF = "zhoushan_consult.urls"

INSTALLED_APPS = [
    "zhoushan_consult.bureau.admin_config.BureauAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # FORM_RENDERER looks for widget templates in installed apps.
    "django.forms",
    "crispy_forms",
    "phonenumber_field",
    "zhoushan_consult.vault",
    "zhoushan_consult.workdays",
    "zhoushan_consult.bureau",
    "zhoushan_consult.audit",
    "zhoushan_consult.outbox",
    "zhoushan_consult.duties",
    "zhoushan_consult.upkeep",
    "zhoushan_consult.web",
    "zhoushan_consult.sign_on",
    "zhoushan_consult.login",
    "sessions_app",
    "appointments",
    "triage",
]

# In this order: characters are refused before anything parses them, and a slow request body is read before a database
# connection is borrowed. Sessions and accounts come after both.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "zhoushan_consult.web.private.CacheControlMiddleware",
    "zhoushan_consult.web.characters.ControlCharacterMiddleware",
    "zhoushan_consult.web.connections.ConnectionPoolMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zhoushan_consult.bureau.session_limits.SessionLimitMiddleware",
    "zhoushan_consult.login.steps.LoginStepMiddleware",
    "zhoushan_consult.bureau.refusals.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "zhoushan_consult.web.site.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "gov"
CRISPY_TEMPLATE_PACK = "gov"

# --- Database ----------------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Connections of each web process. 0: one for each thread.
DATABASE_CONNECTIONS = 0
if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "consult.sqlite3",
            "OPTIONS": {
                # With the default (DEFERRED), four concurrent writers got "database is locked" instead of a turn.
                "transaction_mode": "IMMEDIATE",
                # Seconds that a writer waits for its turn.
                "timeout": 20,
                # FULL: with NORMAL, a power cut can undo the last commits, and a firm already has the receipt.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
            },
        }
    }
else:
    DATABASES = {"default": env.db("DATABASE_URL")}
    if DATABASES["default"]["ENGINE"].endswith("postgresql"):
        # Two web processes use 32 of PostgreSQL's default of 100 connections. Workers and operators need the rest.
        DATABASE_CONNECTIONS = env.int("DATABASE_CONNECTIONS", default=16)
        # Health checks: after a restart of PostgreSQL the first request of each connection would answer 503.
        DATABASES["default"].update(
            CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=600), CONN_HEALTH_CHECKS=True
        )
        # Milliseconds. A query or a lock that takes longer ends with 503, instead of blocking all threads.
        DATABASES["default"].setdefault("OPTIONS", {}).update(
            connect_timeout=5, options="-c statement_timeout=15000 -c lock_timeout=3000"
        )

# --- Celery: messages only say that work may be due; the database says which ---------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
# JSON only: pickled messages would let the broker run code in a worker.
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# A message is acknowledged after the task, so that the task of a killed worker is delivered again.
CELERY_TASK_ACKS_LATE = True
# A busy worker must not hold messages that an idle one could take.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# LOGGING below is for workers too.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = SHANGHAI.key
# Redis: a message that is not acknowledged within 900 s is delivered again. Without socket timeouts, a frozen Redis
# blocks a call for more than 60 s. Folder: at its default polling interval it does 4.9 tasks per second.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 900, "socket_timeout": 5, "socket_connect_timeout": 5, "retry_on_timeout": True}
    if REDIS_URL
    else {"folder": str(VAR_DIR / "broker"), "polling_interval": 0.2}
)
# The embedded broker has no fanout, which remote control needs.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
# The default scheduler keeps a file. Here the database says what is due, so no file is needed.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# Each task is cheap and safe to repeat. A message that no worker took in time expires: the next one does its work.
CELERY_BEAT_SCHEDULE = {
    "outbox": {
        "task": "zhoushan_consult.outbox.tasks.sweep",
        "schedule": timedelta(seconds=env.int("OUTBOX_EVERY", default=5)),
        "options": {"expires": 30},
    },
    "reports": {
        "task": "zhoushan_consult.outbox.tasks.ask",
        "schedule": timedelta(minutes=2),
        "options": {"expires": 60},
    },
    "duties": {
        "task": "zhoushan_consult.duties.tasks.make_rounds",
        "schedule": timedelta(seconds=env.int("DUTIES_EVERY", default=60)),
        "options": {"expires": 300},
    },
    "routing": {
        "task": "triage.tasks.store_routing_traces",
        "schedule": timedelta(seconds=env.int("ROUTING_EVERY", default=5)),
        "options": {"expires": 30},
    },
}

# The scheduled duties, each a `duties.kinds.Kind`. Those that are due at the same time run in this order.
DUTIES = [
    "zhoushan_consult.audit.sealing.SEAL",
    "sessions_app.preparing.PREPARE",
    "sessions_app.reminders.PLAN_WANTED",
    "sessions_app.receiving.RECEPTION",
    "triage.plan_changes.CARRY",
    "triage.cutoff_summary.CUTOFF",
    "triage.reminders.DAY_NEAR",
    "triage.reminders.RUN_SHEET",
    "triage.reminders.REPLY_DUE",
    "triage.reminders.SETTLE_WANTED",
    "triage.seating.FILL",
    "triage.closing.CLOSE_UNANSWERED",
    "triage.follow_up.LADDER",
    "triage.limbo.LIMBO",
    "zhoushan_consult.outbox.retraction.RETRACT",
    "zhoushan_consult.web.throttle.PURGE",
    "zhoushan_consult.upkeep.holidays_wanted.HOLIDAYS_WANTED",
    "zhoushan_consult.web.drafts.PURGE",
    "zhoushan_consult.upkeep.digest.DIGEST",
]

# What 六（三）–（六） supply about a registration: the floor of 六（二） may not import them.
APPOINTMENT_WORK = {"work_of": "triage.work.work_of", "end_work": "triage.follow_up.end_work"}

# --- Letters -----------------------------------------------------------------------------------------------------
# The kinds of letters that each floor declares, each a list of `outbox.kinds.LetterKind`.
LETTER_KINDS = [
    "zhoushan_consult.upkeep.digest.LETTERS",
    "zhoushan_consult.upkeep.holidays_wanted.LETTERS",
    "zhoushan_consult.login.letters.LETTERS",
    "sessions_app.letters.LETTERS",
    "appointments.letters.LETTERS",
    "triage.letters.LETTERS",
]
OUTBOX_ADAPTERS = {
    "sms": env.str("SMS_ADAPTER", default="zhoushan_consult.outbox.adapters.FileAdapter"),
    "email": env.str("EMAIL_ADAPTER", default="zhoushan_consult.outbox.adapters.FileAdapter"),
}
# FileAdapter writes here what would have been sent.
OUTBOX_FOLDER = VAR_DIR / "letters"
# The most SMS for one phone number in one day. It stops a flood of letters to another person's number.
OUTBOX_DAILY_CAP = env.int("OUTBOX_DAILY_CAP", default=10)
# The 【signature】 that the vendor puts before every SMS.
SMS_SIGN_NAME = env.str("SMS_SIGN_NAME", default="").strip()
# TOML: the output of `manage.py sms_templates`, with the vendor's codes filled in.
SMS_TEMPLATES = env.str("SMS_TEMPLATES", default="")
# PEM: the gateway's certificate authority, if it is not a public one.
SMS_CA = env.str("SMS_CA", default="")
MAS_URL = env.str("MAS_URL", default="").strip()
MAS_EC_NAME = env.str("MAS_EC_NAME", default="").strip()
MAS_AP_ID = env.str("MAS_AP_ID", default="").strip()
MAS_SECRET_KEY = env.secret("MAS_SECRET_KEY")
MAS_SIGN = env.str("MAS_SIGN", default="").strip()
MAS_ADD_SERIAL = env.str("MAS_ADD_SERIAL", default="").strip()
ALIYUN_SMS_URL = env.str("ALIYUN_SMS_URL", default="https://dysmsapi.aliyuncs.com").strip()
ALIYUN_ACCESS_KEY_ID = env.str("ALIYUN_ACCESS_KEY_ID", default="").strip()
ALIYUN_ACCESS_KEY_SECRET = env.secret("ALIYUN_ACCESS_KEY_SECRET")
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# Seconds. `Adapter.send` promises to end within ten seconds.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="企业环保咨询日 <noreply@localhost>")

# --- Language, time, numbers ---------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
# Our words for the sentences of Django and the libraries. They come before their own catalogues.
LOCALE_PATHS = [BASE_DIR / "zhoushan_consult" / "locale"]
TIME_ZONE = SHANGHAI.key
PHONENUMBER_DEFAULT_REGION = "CN"
# E164, the default, drops extensions.
PHONENUMBER_DB_FORMAT = "RFC3966"
PHONENUMBER_DEFAULT_FORMAT = "RFC3966"

# --- Static files --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Names contain a hash of the content, so browsers may keep the files for ever.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Accounts and sessions -----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "bureau.Officer"
# 等保三级 8.1.4.1. Each number 0: that rule is off.
PASSWORD_MIN_LENGTH = env.int("PASSWORD_MIN_LENGTH", default=10)
PASSWORD_KINDS = env.int("PASSWORD_KINDS", default=3)
PASSWORD_HISTORY = env.int("PASSWORD_HISTORY", default=5)
PASSWORD_DAYS = env.int("PASSWORD_DAYS", default=90)
PASSWORD_REMIND_DAYS = env.int("PASSWORD_REMIND_DAYS", default=7)
# With what guessing begins here: names of the place, the bureau, the trade and of passwords, and rows of keys.
PASSWORD_KNOWN_WORDS = env.list(
    "PASSWORD_KNOWN_WORDS",
    default=[
        "舟山", "zhoushan", "定海", "dinghai", "普陀", "putuo", "岱山", "daishan", "嵊泗", "shengsi", "浙江", "zhejiang",
        "海燕", "haiyan", "海岛", "haidao", "qiandao", "环保", "huanbao", "环境", "huanjing", "环评", "huanping",
        "生态", "shengtai", "hbzx", "sthj", "zshbj", "咨询", "zixun", "企业", "qiye", "password", "passwd", "admin",
        "密码", "mima", "welcome", "qwer", "asdf", "zxcv", "1qaz", "abcd", "1234", "8888", "6666",
    ],
)  # fmt: skip
VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH}},
    {"NAME": "zhoushan_consult.bureau.passwords.Kinds", "OPTIONS": {"kinds": PASSWORD_KINDS}},
    {"NAME": "zhoushan_consult.bureau.passwords.NoKnownNames", "OPTIONS": {"words": PASSWORD_KNOWN_WORDS}},
    {
        "NAME": f"{VALIDATORS}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "email"]},
    },
    {"NAME": "zhoushan_consult.bureau.passwords.NotCommon"},
    {"NAME": "zhoushan_consult.bureau.passwords.NotUsedBefore", "OPTIONS": {"history": PASSWORD_HISTORY}},
]
# Whether every officer must bind an authenticator app. Those who have bound one are asked for its code in any case.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not EMBEDDED)
# The province's sign-on: the class of a `sign_on.provider.Provider`. Empty: nothing of it is shown.
STAFF_SIGN_ON = env.str("STAFF_SIGN_ON", default="").strip()
FIRM_SIGN_ON = env.str("FIRM_SIGN_ON", default="").strip()
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
# Officers who do not work in the admin go here after login.
DESK_URL = "/desk/"
# Open to officers who are only halfway in (login/steps.py).
LOG_OUT_ADDRESSES = ("/admin/logout/", "/desk/logout/")
# Failed log-ins in a window of so many minutes. What each limit is for: login/guessing.py.
LOGIN_WINDOW_MINUTES = env.int("LOGIN_WINDOW_MINUTES", default=15)
LOGIN_TRIES_OF_AN_ACCOUNT = env.int("LOGIN_TRIES_OF_AN_ACCOUNT", default=8)
LOGIN_TRIES_OF_A_PAIR = env.int("LOGIN_TRIES_OF_A_PAIR", default=6)
LOGIN_NAMES_OF_AN_ADDRESS = env.int("LOGIN_NAMES_OF_AN_ADDRESS", default=8)
LOGIN_TRIES_OF_A_DEVICE = env.int("LOGIN_TRIES_OF_A_DEVICE", default=8)
# Without a click.
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_MINUTES", default=30) * 60
# In all (bureau/session_limits.py).
SESSION_MAX_HOURS = env.int("SESSION_MAX_HOURS", default=12)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- Headers -------------------------------------------------------------------------------------------------------
# No inline scripts and styles: text of a firm that reached a page unescaped could still not run.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
HTTPS = SITE_URL.startswith("https://")
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
# A client without a proxy in front could send this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# __Host-: a browser accepts the cookie only over HTTPS and from this very host, not from a neighbouring subdomain.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
# Names the drafts of this browser (web/drafts.py).
DRAFT_COOKIE_NAME = "__Host-draft" if HTTPS else "draft"
# Says which officers have logged in on this device (login/known_device.py).
DEVICE_COOKIE_NAME = "__Host-device" if HTTPS else "device"
# A way to the province's sign-on that is not finished (sign_on/round_trip.py), and the firm that has come back from it.
SIGN_ON_COOKIE_NAME = "__Host-sign-on" if HTTPS else "sign-on"
FIRM_COOKIE_NAME = "__Host-firm" if HTTPS else "firm"
CSRF_FAILURE_VIEW = "zhoushan_consult.web.errors.csrf_failure"
# The longest form, with every field full of Chinese, is far below 256 KiB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# --- The bureau's own particulars, shown in the footer (visibly 待填 until set) ----------------------------------------
SITE = {
    "host_unit": env.str("SITE_HOST_UNIT", default="舟山市生态环境局"),
    "phone": env.str("SITE_PHONE", default=""),
    "address": env.str("SITE_ADDRESS", default=""),
    "site_code": env.str("SITE_CODE", default=""),
    "icp": env.str("SITE_ICP", default=""),
    "police_record": env.str("SITE_POLICE_RECORD", default=""),
}

# --- Logs and error reports: never what people typed ---------------------------------------------------------------
DEFAULT_EXCEPTION_REPORTER_FILTER = "zhoushan_consult.vault.error_reports.RedactingReporterFilter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # These two log addresses, which can name a receipt, and exception texts. web/errors.py logs instead.
    "loggers": {"django.request": {"level": "CRITICAL"}, "django.security": {"level": "CRITICAL"}},
}

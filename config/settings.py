"""All settings, read from the environment. Every variable is described in docs/configuration.md."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import environment, processes
from config.languages import language_name, languages_in, right_to_left

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(environment.text("STEMMOS_HOME", str(BASE_DIR / "var"))).expanduser().resolve()
os.environ.setdefault("STEMMOS_HOME", str(HOME))  # the separators, which know no Django, look for their weights here

DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.secret_key(HOME)
ALLOWED_HOSTS = environment.items("ALLOWED_HOSTS", "*")
CSRF_TRUSTED_ORIGINS = environment.items("CSRF_TRUSTED_ORIGINS")
HTTPS = environment.flag("HTTPS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "config",
    "separation",
    "listening_test",
    "analysis",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ]
        },
    }
]

# ── Data ─────────────────────────────────────────────────────────────────────────────────────────────
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{HOME / 'db.sqlite3'}", conn_max_age=60)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer waits for its turn at the start, and never fails in the middle
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_ROOT = HOME / "media"  # never served by URL: every file goes through a view that asks who may hear it
RESULTS_ROOT = HOME / "results"  # computed reports of large studies; they can be computed again
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_TEMP_DIR = environment.folder(HOME / "run")  # same disk as the media: a finished upload is only renamed
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

# ── Audio ────────────────────────────────────────────────────────────────────────────────────────────
SAMPLE_RATE = 44_100
UPLOAD_MAX_BYTES = environment.whole("UPLOAD_MAX_MB", 600) * 2**20
IMPORT_MAX_BYTES = environment.whole("IMPORT_MAX_MB", 4000) * 2**20  # a ZIP archive with the stems of several songs
SONG_MIN_SECONDS = 3
SONG_MAX_SECONDS = (
    environment.whole("SONG_MAX_MINUTES", 30) * 60
)  # separating takes no more memory for it, decoding does

# ── Background work ──────────────────────────────────────────────────────────────────────────────────
REDIS_SOCKET = environment.redis_socket(HOME)
CELERY_BROKER_URL = environment.text("REDIS_URL", f"redis+socket://{REDIS_SOCKET}")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Redis gives a message again that nobody has acknowledged for so long. A long job may take longer: the second message
# then finds its row taken, or done, and does nothing.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
SEPARATION_QUEUES = processes.SEPARATION_QUEUES
MEASUREMENT_QUEUE = processes.MEASUREMENT_QUEUE
SWEEP_SECONDS = environment.whole("SWEEP_SECONDS", 5)
ORPHAN_SECONDS = environment.whole(
    "ORPHAN_SECONDS", 3600
)  # a file that no row knows may be somebody's next row so long
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": every, "options": {"expires": every}}  # none pile up behind other light work
    for name, task, every in (
        ("sweep-lost-jobs", "separation.tasks.sweep", float(SWEEP_SECONDS)),
        ("sweep-lost-preparations", "listening_test.tasks.sweep", float(SWEEP_SECONDS)),
        ("sweep-retention", "listening_test.tasks.sweep_retention", 3600.0),
        ("sweep-results", "analysis.tasks.sweep", 30.0),
        ("sweep-lost-files", "separation.tasks.sweep_files", max(ORPHAN_SECONDS / 6, 1.0)),
    )
}
JOB_LEASE_SECONDS = environment.whole("JOB_LEASE_SECONDS", 15)  # renewed every third; a silent worker has died
JOB_MAX_ATTEMPTS = 3
JOB_RETRY_SECONDS = environment.whole("JOB_RETRY_SECONDS", 5)  # before the second attempt, then twice as long each time
JOB_RETRY_MAX_SECONDS = 300
JOB_RESEND_SECONDS = environment.whole("JOB_RESEND_SECONDS", 60)  # a message unseen for so long is taken for lost
JOB_TIME_START_SECONDS = environment.whole("JOB_TIME_START_SECONDS", 600)  # for weights on a slow disk
JOB_TIME_FACTORS = {  # seconds of work for a second of song, several times what one slow core needs
    "openunmix": environment.whole("JOB_TIME_OPENUNMIX", 10),
    "spleeter": environment.whole("JOB_TIME_SPLEETER", 10),
    "demucs": environment.whole("JOB_TIME_DEMUCS", 60),
    "other": environment.whole("JOB_TIME_OTHER", 60),
}
MEASURE_TIME_START_SECONDS = environment.whole("MEASURE_TIME_START_SECONDS", 600)  # for the filters of BSS Eval
MEASURE_TIME_FACTOR = environment.whole("MEASURE_TIME_FACTOR", 30)  # seconds of measuring for a second of song
# BSS Eval v4 holds the whole span; longer ones are refused.
MEASURE_MEMORY_GB = environment.whole("MEASURE_MEMORY_GB", max(6, environment.memory_gb() // 2))
os.environ["STEMMOS_LOADED_MODELS"] = str(environment.whole("STEMMOS_LOADED_MODELS", 3))  # the separators read it there

# ── People ───────────────────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = environment.text("LANGUAGE_CODE", "es")
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = [(code, _(language_name(code))) for code in languages_in(BASE_DIR / "locale")]
LANGUAGES_BIDI = right_to_left(code for code, _name in LANGUAGES)
TIME_ZONE = environment.text("TIME_ZONE", "UTC")
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "studies"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # failed logins of researchers are enough; see docs/privacy.md

# ── Web security ─────────────────────────────────────────────────────────────────────────────────────
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    SECURE_HSTS_SECONDS = 31_536_000

# ── API ──────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"listener": environment.text("LISTENER_RATE", "240/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "StemMOS",
    "DESCRIPTION": "Blind listening tests of music source separation: the listener's and the researcher's API.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "WorkStateEnum": "separation.models.work.Work.State",
        "StudyStateEnum": "listening_test.models.study.Study.State",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "INFO")},
    # The sweeps alone would write a million lines a month.
    "loggers": {name: {"level": "WARNING"} for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace")},
}

"""Django's settings: one flat file, read from the environment, failing loudly.

Without DATABASE_URL and REDIS_URL the private servers of `archive.embedded` are used, whose addresses follow from
PALIMPSEST_HOME alone, so that every command run on one archive finds the same servers.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from archive import embedded
from archive.env import Env, EnvironmentProblem, database, made

env = Env()
ROOT = Path(__file__).resolve().parent.parent

# ---- where things are -------------------------------------------------------------------------------------
HOME = env.path("PALIMPSEST_HOME", str(ROOT / "var"))
INCOMING = made(HOME / "incoming")  # bytes on their way into the store, on the store's own filesystem
SCRATCH = HOME / "scratch"
STORE = env.text("PALIMPSEST_STORE", str(HOME / "store"))  # a folder, or s3://bucket
RENDITIONS = env.text("PALIMPSEST_RENDITIONS", str(HOME / "renditions"))
S3_ENDPOINT = env.text("PALIMPSEST_S3_ENDPOINT", "")
S3_ACCESS_KEY = env.text("PALIMPSEST_S3_ACCESS_KEY", "")
S3_SECRET_KEY = env.text("PALIMPSEST_S3_SECRET_KEY", "")
S3_REGION = env.text("PALIMPSEST_S3_REGION", "us-east-1")
S3_SIGNED = env.flag("PALIMPSEST_S3_SIGNED", True)  # downloads from the bucket itself; no if it is hidden

# ---- safety -----------------------------------------------------------------------------------------------
DEBUG = env.flag("PALIMPSEST_DEBUG", False)
EMBEDDED = embedded.Addresses.of(HOME)
SECRET_KEY = env.text("PALIMPSEST_SECRET_KEY", "") or EMBEDDED.secret_key()
ALLOWED_HOSTS = env.words("PALIMPSEST_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("PALIMPSEST_ORIGINS")
BEHIND_HTTPS = env.flag("PALIMPSEST_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
METRICS_TOKEN = env.text("PALIMPSEST_METRICS_TOKEN", "")  # for a Prometheus on another machine
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a flushed Redis signs nobody out
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "worker-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ---- what it is made of -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "archive.accounts",
    "archive.catalogue",
    "archive.store",
    "archive.ingest",
    "archive.jobs",
    "archive.review",
    "archive.proofs",
    "archive.exhibits",
    "archive.iiif",
    "archive.preservation",
    "archive.api",
    "archive.system",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "archive.ingest.room.RoomFirst",  # before anything reads a form
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "archive.accounts.view_as.ViewAs",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "archive.refusals.SayWhatWasRefused",
]
ROOT_URLCONF = "archive.urls"
WSGI_APPLICATION = "archive.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "archive.accounts.context.rooms",
            ]
        },
    }
]

# ---- people, words and time -------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "catalogue:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["archive.formats"]
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_TZ = True
TIME_ZONE = env.text("PALIMPSEST_TIME_ZONE", "UTC")

# ---- database, cache, queue -------------------------------------------------------------------------------
DATABASES = {"default": database(env.text("DATABASE_URL", "") or EMBEDDED.database_url())}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 5)
# A process that freezes in the middle of a transaction (a stopped container, a machine that sleeps) keeps its locks;
# the server ends its session, so that an administrator can still pause or cancel what it was at.
# Catalogues are asked in short queries and lie in memory or on disks without heads: taken for spinning disks, a common
# word may read the whole index row by row (114 ms instead of 24, seen on 110 000 records). Compiling never pays here.
SESSION = {"idle_in_transaction_session_timeout": "15s", "random_page_cost": "1.1", "jit": "off"}
DATABASES["default"]["OPTIONS"].setdefault("options", " ".join(f"-c {k}={v}" for k, v in SESSION.items()))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "") or EMBEDDED.redis_url()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_TASK_ROUTES = {"palimpsest.io.*": {"queue": "io"}, "palimpsest.gpu.*": {"queue": "gpu"}}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "max_retries": 3, "socket_connect_timeout": 3}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "palimpsest.io.sweep", "schedule": 15.0}}

# ---- telling people -----------------------------------------------------------------------------------------
SITE_URL = env.text("PALIMPSEST_URL", f"http://localhost:{env.whole('PORT', 8000, least=1)}").rstrip("/")
WEBHOOK = env.text("PALIMPSEST_WEBHOOK", "")  # where the end of a job is posted as JSON
if WEBHOOK and not WEBHOOK.startswith(("http://", "https://")):
    raise EnvironmentProblem(f"PALIMPSEST_WEBHOOK: expected http://… or https://…, got {WEBHOOK!r}.")
EMAIL_HOST = env.text("PALIMPSEST_MAIL_HOST", "")  # none: no mail
EMAIL_PORT = env.whole("PALIMPSEST_MAIL_PORT", 25, least=1)
EMAIL_HOST_USER = env.text("PALIMPSEST_MAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("PALIMPSEST_MAIL_PASSWORD", "")
EMAIL_USE_TLS = env.flag("PALIMPSEST_MAIL_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("PALIMPSEST_MAIL_FROM", "archive@localhost")

# ---- files the browser asks for ---------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.path("PALIMPSEST_STATIC", str(ROOT / "staticfiles"))
VENDORS = {
    "openseadragon": ROOT / "node_modules" / "openseadragon" / "build" / "openseadragon",
    "tus": ROOT / "node_modules" / "tus-js-client" / "dist",
    "noble-hashes": ROOT / "node_modules" / "@noble" / "hashes",
}
STATICFILES_DIRS = [
    ROOT / "static",
    *((f"vendor/{name}", folder) for name, folder in VENDORS.items() if folder.is_dir()),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env.flag("PALIMPSEST_HASHED_STATIC", not DEBUG)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = HOME / "unused"  # every picture goes through the store, none through Django's media files

# ---- limits -----------------------------------------------------------------------------------------------
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(INCOMING)
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    5 * 2**20
)  # of a form's fields; files are streamed to disk and limited by themselves
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_NUMBER_FILES = 500
MAX_FILE_BYTES = env.whole("PALIMPSEST_MAX_FILE_BYTES", 8 * 2**30, least=1)
STORE_QUOTA_BYTES = env.whole(
    "PALIMPSEST_QUOTA_BYTES", 0, least=0
)  # of all stored files together; 0: the disk's own
SPARE_BYTES = env.whole("PALIMPSEST_SPARE_BYTES", 2**30, least=0)  # that uploads leave free on the disk
UPLOAD_HOURS = env.whole(
    "PALIMPSEST_UPLOAD_HOURS", 72, least=1
)  # an unfinished upload waits so long for its rest
MAX_PIXELS = env.whole("PALIMPSEST_MAX_PIXELS", 400_000_000, least=1)
MAX_PAGES = env.whole("PALIMPSEST_MAX_PAGES", 2_000, least=1)
ORDER_LIMIT = env.whole("PALIMPSEST_ORDER_LIMIT", 200, least=1)  # larger orders are bulk work, for admins
LEASE_SECONDS = env.whole("PALIMPSEST_LEASE_SECONDS", 60, least=2)
MAX_TRIES = env.whole("PALIMPSEST_MAX_TRIES", 4, least=1)
LEAST_FREE = env.whole("PALIMPSEST_LEAST_FREE", 2 * 2**30)  # bytes: below that no item is begun
THUMBNAIL_WIDTHS = (240, 480, 960)

# ---- API --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "knox.auth.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "archive.api.problems.handle",
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=365)}
SPECTACULAR_SETTINGS = {
    "TITLE": "Palimpsest",
    "DESCRIPTION": "An archive of scanned historical images in which an AI restoration is an honest record.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# ---- log --------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("PALIMPSEST_LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "pyvips": {"level": "WARNING"},
        "tifffile": {"level": "CRITICAL"},  # it reports what we report as a typed refusal
    },
}

"""Settings, all from the environment, each with a type and a clear failure.

`docs/settings.md` lists them. Nothing here opens a connection.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import environ
from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured

from core.logs import configure_logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# What a fresh checkout uses: the private servers that the Makefile starts.
LOCAL_DIR = Path(env.str("LOCAL_DIR", default=str(BASE_DIR / ".local")))
env_file = LOCAL_DIR / "env"
if env_file.exists():
    environ.Env.read_env(str(env_file), overwrite=False)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
# A short or sample key would let anybody sign sessions (fault F-111).
if len(SECRET_KEY) < 40 or "sample" in SECRET_KEY or "changeme" in SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY must be set to at least 40 random characters, for example with: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
# Tokens are stored as HMAC under this key, so that a stolen dump opens nothing.
TOKEN_KEY = env.str("TOKEN_KEY", default=SECRET_KEY)

PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
INGEST_URL = env.str("INGEST_URL", default=PUBLIC_URL).rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
IS_HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
# Pages are redirected. A program would send its token in plain text again and again: the API
# refuses it, see `core.rest.problem`. Probes ask the process itself.
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if IS_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SILENCED_SYSTEM_CHECKS = [
    # Whoever runs the server knows whether all names below its own have TLS, and says so.
    "security.W005",
    "security.W021",
    # No text of a stranger reaches GDAL: files are read by our own parsers, and the admin's
    # filters on geometries are refused.
    "gis.W001",
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "daphne",
    "unfold.apps.BasicAppConfig",
    "tracker.admin_site.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_vite",
    "csp",
    "channels",
    "outbox",
    "accounts",
    "assets",
    "positions",
    "uplinks",
    "geofence",
    "billing",
    "alerts",
    "tracker.apps.TrackerConfig",
]

# The ingest process shows no pages and does without what only they need: half its memory.
ONLY_FOR_PAGES = {
    "daphne",
    "unfold.apps.BasicAppConfig",
    "tracker.admin_site.AdminConfig",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_vite",
    "csp",
    "channels",
}
if env.bool("INGEST_ONLY", default=False):
    INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in ONLY_FOR_PAGES]

MIDDLEWARE = [
    "core.rest.problem.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.idempotency.IdempotencyMiddleware",
    "core.rest.query_parameters.ParametersMiddleware",
    "core.rest.answers.LocationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "tracker.urls"
ASGI_APPLICATION = "tracker.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "tracker" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]

# --- data -----------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"] |= {
    "ENGINE": "django.contrib.gis.db.backends.postgis",
    "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE_S", default=600),
    "CONN_HEALTH_CHECKS": True,
}
# The web process sets it: there each request has a thread of its own, and would leave behind a
# connection of its own.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": 2,
    "application_name": env.str("PROCESS_NAME", default="tracker"),
    # Nobody waits for ever: a stuck statement becomes an error that the road understands.
    "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    " -c timezone=UTC -c jit=off",
}
if DATABASE_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": DATABASE_POOL_SIZE,
        "max_lifetime": DATABASES["default"]["CONN_MAX_AGE"],
        # Who gets no connection within it is answered 503, and beyond so many who wait, at once.
        "timeout": 2.0,
        "max_waiting": 100,
        # Then the next request tries anew, with no long pause once the database is back.
        "reconnect_timeout": 2.0,
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": REDIS_URL,
                    "socket_connect_timeout": 2,
                    "socket_timeout": 5,
                    "health_check_interval": 10,
                }
            ]
        },
    }
}
# Throttles and the like; may be lost at any time.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

# --- ingest ---------------------------------------------------------------

SPOOL_DIR = Path(env.str("SPOOL_DIR", default=str(LOCAL_DIR / "spool")))
SPOOL_MAX_BYTES = env.int("SPOOL_MAX_BYTES", default=1 << 30)
# How long a batch may wait for its commit before it goes to the spool. ChirpStack
# hangs up after 5 s and never comes back.
COMMIT_TIMEOUT_S = env.float("COMMIT_TIMEOUT_S", default=2.0)
BODY_LIMIT_BYTES = env.int("BODY_LIMIT_BYTES", default=1 << 20)
QUEUE_LIMIT_OBSERVATIONS = env.int("QUEUE_LIMIT_OBSERVATIONS", default=50_000)
QUEUE_LIMIT_BYTES = env.int("QUEUE_LIMIT_BYTES", default=64 << 20)
READ_TIMEOUT_S = env.float("READ_TIMEOUT_S", default=10.0)
POSITION_PARTITION_DAYS = env.int("POSITION_PARTITION_DAYS", default=7)
# Room for a device that dumps a week of stored positions, but not for a loop.
OBSERVATIONS_PER_DEVICE_AND_MINUTE = env.int("OBSERVATIONS_PER_DEVICE_AND_MINUTE", default=100_000)
# How long the last uplinks of a source or device are shown after the newest of them.
RECENT_UPLINKS_DAYS = env.int("RECENT_UPLINKS_DAYS", default=7)
# Wrong tokens from one address before it is told to wait (fault F-034).
WRONG_TOKENS_PER_MINUTE = env.int("WRONG_TOKENS_PER_MINUTE", default=100)

# --- live map -------------------------------------------------------------

# Between two frames of one connection.
LIVE_TICK_MS = env.int("LIVE_TICK_MS", default=250)

# --- background -----------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The default hour would leave a dead worker's task unheard for as long.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_timeout": 5}
CELERY_TASK_TIME_LIMIT = 600
CELERY_BEAT_SCHEDULE = {
    "send-due-notifications": {"task": "outbox.tasks.send_due_notifications", "schedule": 5.0},
    "make-partitions": {"task": "positions.tasks.make_partitions", "schedule": 3600.0},
    "continue-rejudging": {"task": "tracker.tasks.continue_rejudging", "schedule": 5.0},
    "meet-deadlines": {"task": "tracker.tasks.meet_deadlines", "schedule": 5.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(LOCAL_DIR / "celerybeat-schedule")

# Whose text a notification is, by its kind: a function of the notifications of a lot.
OUTBOX_RENDERERS = {"alert": "alerts.alert_texts.render"}
# A correction waits until no late report has changed its alert for so long, and is not sent where
# it moves the alert by less.
CORRECTION_WAIT_S = env.float("CORRECTION_WAIT_S", default=60.0)
CORRECTION_LEAST_S = env.float("CORRECTION_LEAST_S", default=60.0)
# What ends with a geofence, see geofence/dependents.py.
GEOFENCE_DEPENDENTS = {"rules": "alerts.geofence_rules"}
vars().update(env.email_url("EMAIL_URL", default="smtp://127.0.0.1:1025"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Tracker <tracker@localhost>")
EMAIL_TIMEOUT = 15

# --- people, pages, API ---------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/app/map"
LOGOUT_REDIRECT_URL = "login"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["tracker.formats"]

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "static")))
CONSOLE_DIR = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [("console", str(CONSOLE_DIR))] if CONSOLE_DIR.exists() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# With finders STATIC_ROOT may be missing; each process would start with a warning about it.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
WHITENOISE_AUTOREFRESH = False
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("pmtiles", "woff2", "png", "jpg", "webp")
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "manifest_path": str(CONSOLE_DIR / ".vite" / "manifest.json"),
        "static_url_prefix": "console",
    }
}

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/v1/docs/"],
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "worker-src": ["'self'"],
        "style-src": ["'self'", NONCE],
        "img-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}


UNFOLD = {
    "SITE_TITLE": "Tracker administration",
    "SITE_HEADER": "Tracker",
    "SITE_URL": "/app/map",
    "SHOW_HISTORY": True,
    "STYLES": ["tracker.admin_site.stylesheet"],
    "SIDEBAR": {"navigation": "tracker.admin_site.sidebar"},
    # The blue of the console, so that both sides look like one product.
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 250)",
            "100": "oklch(93% .032 250)",
            "200": "oklch(88% .059 250)",
            "300": "oklch(81% .105 250)",
            "400": "oklch(70% .14 250)",
            "500": "oklch(60% .15 250)",
            "600": "oklch(46% .13 250)",
            "700": "oklch(42% .12 250)",
            "800": "oklch(37% .1 250)",
            "900": "oklch(33% .09 250)",
            "950": "oklch(26% .07 250)",
        }
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["core.rest.permissions.MayOperate"],
    "DEFAULT_PAGINATION_CLASS": "core.rest.cursor_pages.NewestFirst",
    "PAGE_SIZE": 100,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_METADATA_CLASS": "core.rest.metadata.JSONMetadata",
    "DEFAULT_SCHEMA_CLASS": "core.rest.openapi.DescribedSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rest.answers.KnownFormats",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.rest.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "core.rest.problem.handle_exception",
    "DATETIME_FORMAT": "%04Y-%m-%dT%H:%M:%S.%fZ",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tracker API",
    "DESCRIPTION": (
        "Send `Authorization: Token …` with a token from `/api/v1/tokens/` or"
        " `manage.py bootstrap --json`, or sign in to the console in this browser. Every refusal"
        " is a problem document (RFC 9457); [all of them](/problems/). Devices report under"
        " `/ingest/`, at the address that their source shows."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.rest.openapi.with_geojson",
        "core.rest.openapi.with_problems",
        "tracker.api_words.with_meanings",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CorrectionEnum": "geofence.models.Correction.Change",
        "AlertChangeEnum": "alerts.models.AlertChange.Change",
    },
}
PROBLEM_TYPE_URL = env.str("PROBLEM_TYPE_URL", default=f"{PUBLIC_URL}/problems/")

# Of scrapers, who send it as Bearer. Without one, only those on the machine itself are answered.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None
configure_logs(level=LOG_LEVEL, as_json=env.bool("LOG_JSON", default=False))

"""Every setting of the product, read once from the environment. A missing or malformed value stops the start.

`make run` fills in what a developer's machine needs (see bookingflow/run.py); a server sets the variables itself.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, validate
from psycopg.conninfo import conninfo_to_dict
from pythonjsonlogger.core import RESERVED_ATTRS

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DEVELOPMENT = env.bool("DEVELOPMENT", False)  # relaxes HTTPS only; never turns on Django's DEBUG pages
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])  # of yesterday: what they signed is still read
# Fernet keys for secrets that must be read again (webhook secrets, headers): the first encrypts, all decrypt.
SECRET_ENCRYPTION_KEYS: list[str] = env.list("SECRET_ENCRYPTION_KEYS")
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "bookingflow",
    "organizations",
    "developers",
    "webhooks",
    "customers",
    "rooms",
    "payments",
    "bookings",
    "calendars",
    "agents",
    "dashboard",
    "unfold",
    "django.contrib.admin.apps.SimpleAdminConfig",  # its pages are loaded where URLs are: workers have no use for them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # its widgets' templates, for the renderer below
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "django_filters",
    "django_htmx",
    "heroicons",
    "drf_spectacular",
]

MIDDLEWARE = [
    "developers.middleware.RequestIdMiddleware",
    "developers.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "bookingflow.pages.MethodRefusals",
]

ROOT_URLCONF = "bookingflow.urls"
WSGI_APPLICATION = "bookingflow.wsgi.application"
APPEND_SLASH = False  # the API has no trailing slashes, and an unknown URL there must answer 404, not a redirect

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
                "dashboard.context.frame",
            ],
        },
    },
]
FORM_RENDERER = "dashboard.forms.renderer.Renderer"

# psycopg itself reads the URL, so that sockets, options and passwords mean what they mean to libpq.
_database = conninfo_to_dict(env.str("DATABASE_URL"))
LOCK_TIMEOUT_MS = env.int("LOCK_TIMEOUT_MS", 8_000)  # a writer that waits longer is told to try again (503)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", "bookingflow"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,  # seconds; a host that is gone must not hold a thread for minutes
            "tcp_user_timeout": 30_000,  # nor one that vanishes in the middle
            **_database,
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout=30000"
            " -c idle_in_transaction_session_timeout=60000",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# What counts the attempts to sign in. In the database, so that all web processes count together and people get in while
# Redis is away. A migration of organizations makes the table; old rows go when it is full.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "bookingflow_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# Webhooks. Times in seconds; tests shorten them.
WEBHOOK_RETRY_SECONDS: list[float] = env.list(
    "WEBHOOK_RETRY_SECONDS",
    # 5s 30s 2m 5m 15m 30m 1h 2h 4h 8h 12h 20h 24h: 14 attempts in 71 h 52 m
    [5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 72_000, 86_400],
    subcast=float,
)
WEBHOOK_SLOW_RETRY_SECONDS = env.float("WEBHOOK_SLOW_RETRY_SECONDS", 60.0)  # at least, after 502, 504 and a timeout
WEBHOOK_CONNECT_SECONDS = env.float("WEBHOOK_CONNECT_SECONDS", 4.0)
WEBHOOK_TOTAL_SECONDS = env.float("WEBHOOK_TOTAL_SECONDS", 15.0)  # wall clock, the answer's body included
WEBHOOK_LEASE_SECONDS = env.float("WEBHOOK_LEASE_SECONDS", 60.0)  # after which a worker that has not come back is given up
WEBHOOK_RATE_PER_SECOND = env.float("WEBHOOK_RATE_PER_SECOND", 25.0)  # requests to one endpoint
WEBHOOK_BURST = env.int("WEBHOOK_BURST", 50)
WEBHOOK_BREAKER_SECONDS = env.float("WEBHOOK_BREAKER_SECONDS", 30.0)  # the first rest of an endpoint that fails; it doubles
WEBHOOK_SWEEP_SECONDS = env.float("WEBHOOK_SWEEP_SECONDS", 2.0)
WEBHOOK_ALLOW_LOOPBACK = env.bool("WEBHOOK_ALLOW_LOOPBACK", False)  # for receivers on a developer's own machine

# Payments. Without a secret key `payment.mode=stripe` is refused. `make run` without one starts a local Stripe.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", "")  # for the payer's browser
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", "")  # of the endpoint {PUBLIC_URL}/webhooks/stripe

REDIS_URL = env.str("REDIS_URL")
# kombu spells a Redis behind a socket in its own way.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # tasks are idempotent: a killed worker's task runs again
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A web request must not wait for a broker that is away; the sweeps catch up.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = {f"webhooks.tasks.{name}": {"queue": "webhooks"} for name in ("deliver", "sweep")}  # sending takes its time
REQUEST_LOG_SECONDS = env.float("REQUEST_LOG_SECONDS", 1.0)  # how often a worker writes down the requests that wait for it
SWEEP_SECONDS = env.float("SWEEP_SECONDS", 5.0)  # how often beat looks for holds and games that have ended
BEAT_SCHEDULE = VAR_DIR / "beat-schedule"
CELERY_BEAT_SCHEDULE_FILENAME = str(BEAT_SCHEDULE)
CELERY_BEAT_SCHEDULE = {
    "expire-holds": {"task": "bookings.tasks.expire_holds", "schedule": SWEEP_SECONDS},
    "work-off-payments": {"task": "bookings.tasks.work_off_payments", "schedule": SWEEP_SECONDS},
    "complete-bookings": {"task": "bookings.tasks.complete_bookings", "schedule": SWEEP_SECONDS * 12},
    "forget-quotes": {"task": "bookings.tasks.forget_quotes", "schedule": 3600.0},
    "sync-calendars": {"task": "calendars.tasks.sync", "schedule": 30.0, "options": {"expires": 30}},
    "sweep-webhooks": {"task": "webhooks.tasks.sweep", "schedule": WEBHOOK_SWEEP_SECONDS, "options": {"expires": 30}},
    "forget-webhooks": {"task": "webhooks.tasks.forget", "schedule": 3600.0},
    "remind-of-expiring-keys": {"task": "developers.tasks.remind_of_expiring_keys", "schedule": 3600.0},
    "forget-idempotency": {"task": "developers.tasks.forget_idempotency", "schedule": 3600.0},
    "drain-request-log": {
        "task": "developers.tasks.drain_request_log",
        "schedule": REQUEST_LOG_SECONDS,
        "options": {"expires": 10},
    },
    "forget-request-log": {"task": "developers.tasks.forget_request_log", "schedule": 3600.0},
}

# Web pages that may call /mcp with a key, by their origins: of assistants that people run themselves. Nothing else needs one.
MCP_ALLOWED_ORIGINS: list[str] = env.list("MCP_ALLOWED_ORIGINS", [])

# Mail. On a developer's machine without a mail server, letters become files.
EMAIL_HOST = env.str("EMAIL_HOST", "" if DEVELOPMENT else "localhost")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
MAILBOX = DEVELOPMENT and not EMAIL_HOST  # those files are shown at /mail
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_USER", ""), env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)  # STARTTLS, usually on port 587
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)  # from the first byte, usually on port 465
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"BookingFlow <noreply@{urlsplit(PUBLIC_URL).hostname}>")

# `GET /metrics` answers only to `Authorization: Bearer` with this; without it, to nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

AUTH_USER_MODEL = "organizations.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = env.list("PASSWORD_HASHERS", ["django.contrib.auth.hashers.PBKDF2PasswordHasher"])
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"

# Signing up and in (django-allauth): by e-mail and password, with a second factor for those who want one. Its defaults prevent
# that addresses are tried out, and limit the attempts by address and by account.
ACCOUNT_ADAPTER = "dashboard.accounts.AccountAdapter"
ACCOUNT_FORMS = {"signup": "dashboard.forms.signup.SignUpForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up; elsewhere one is asked for the password
ACCOUNT_LOGIN_TIMEOUT = 3600  # seconds from signing up to following the letter's link, and from the password to the second factor
ACCOUNT_CHANGE_EMAIL = True  # one address, replaced when the new one is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a letter when the password, the address or the second factor changes
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
ACCOUNT_SESSION_REMEMBER = True  # two weeks; the list of sessions ends one earlier
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60  # seconds after which members, keys and one's own account ask for the password again
MFA_ADAPTER = "dashboard.accounts.SecondFactorAdapter"
MFA_TOTP_ISSUER = "BookingFlow"
MFA_TOTP_TOLERANCE = 1  # steps of 30 seconds: phones' clocks differ

LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "bookingflow.static.StaticStorage"},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes of one request's body; above it 413
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # of one form: a room's timetable of 100 rules has 1,700

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["developers.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["developers.permissions.ScopePermission"],
    "DEFAULT_PARSER_CLASSES": ["developers.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["developers.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "developers.schema.ApiSchema",
    "EXCEPTION_HANDLER": "developers.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
IDEMPOTENCY_LEASE_SECONDS = env.float("IDEMPOTENCY_LEASE_SECONDS", 60.0)  # longer than any request may run
IDEMPOTENCY_KEPT_HOURS = 72
REQUEST_LOG_KEPT_DAYS = env.int("REQUEST_LOG_KEPT_DAYS", 30)
REQUEST_LOG_BODIES_KEPT_DAYS = env.int("REQUEST_LOG_BODIES_KEPT_DAYS", 7)  # and the queries

SPECTACULAR_SETTINGS = {
    "TITLE": "BookingFlow API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1/public",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["developers.schema.finish_document", "bookingflow.openapi.add_examples"],
    "PREPROCESSING_HOOKS": ["developers.schema.only_public_paths"],
    "SERVERS": [{"url": "/", "description": "This server"}],
}

LOG_FORMAT = env.str("LOG_FORMAT", "line", validate=validate.OneOf(["line", "json"]))
JSON_LINES: dict[str, Any] = {  # bookingflow/granian.json has the same, for the web server's own lines
    "()": "pythonjsonlogger.json.JsonFormatter",
    "fmt": ["levelname", "name", "message"],
    "rename_fields": {"levelname": "level", "name": "logger"},
    "timestamp": True,
    # Django's and Celery's own additions: whole requests, with what stands in their queries, and tasks' arguments
    "reserved_attrs": [*RESERVED_ATTRS, "request", "data"],
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": JSON_LINES,
    },
    "filters": {"known": {"()": "common.logs.Known"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["known"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # A refused request is the client's business, told in the answer; the log keeps what is ours to mend.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
        "stripe": {"level": "WARNING"},
        "mcp": {"level": "ERROR"},
    },
}

# Security. HTTPS is required everywhere but on a developer's machine.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEVELOPMENT
CSRF_FAILURE_VIEW = "bookingflow.pages.csrf_failed"
# One proxy stands before us, which sets X-Forwarded-Proto and adds the caller's address to X-Forwarded-For.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 0 if DEVELOPMENT else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEVELOPMENT
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin"],  # the admin theme's Alpine.js needs eval; it is for operators only
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}
UNFOLD = {"SITE_TITLE": "BookingFlow", "SITE_HEADER": "BookingFlow", "SHOW_VIEW_ON_SITE": False}

env.seal()

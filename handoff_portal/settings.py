"""All settings, from the environment. Development needs none set; production refuses to start insecurely."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from common.logs import configure_logging
from handoff_portal.database import VAR, database_url, local_secret

# Lets code say ModelAdmin[Lead] and Manager[Lead] at run time as it does to mypy.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- What kind of run this is -------------------------------------------------------------------

# DEBUG and DEMO are for one machine; production sets neither.
DEBUG = env.bool("DEBUG", default=False)
# One-click logins and invented data. Never with real leads.
DEMO = env.bool("DEMO", default=False)
TESTING = env.bool("PORTAL_TESTING", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret()
if not SECRET_KEY:
    if not (DEBUG or TESTING):
        raise ImproperlyConfigured(
            "Set SECRET_KEY (any long random string), or DEBUG=1 on a development machine."
        )
    SECRET_KEY = "only-for-development-" + "0" * 40

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Deep links in messages and in Salesforce start with it.
PORTAL_URL = env.str("PORTAL_URL", default="http://localhost:8000").rstrip("/")

# --- Applications -------------------------------------------------------------------------------

# Highest layer first: tests/architecture holds this list against the import contract.
PORTAL_APPS = [
    "operations",
    "crm",
    "protocol",
    "feedback",
    "handoffs",
    "sla",
    "scoring",
    "leads",
    "notifications",
    "accounts",
]

INSTALLED_APPS = [
    "accounts.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",  # its widget templates, for FORM_RENDERER
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_q",
    "django_htmx",
    "template_partials",
    "crispy_forms",
    "crispy_bootstrap5",
    "axes",
    "csp",
    "common",
    *PORTAL_APPS,
]

MIDDLEWARE = [
    "common.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "handoff_portal.browsers.GZipMiddleware",
    "common.content_policy.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "handoff_portal.browsers.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "handoff_portal.browsers.AuthenticationMiddleware",
    "handoff_portal.browsers.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "handoff_portal.browsers.HtmxMiddleware",
    "handoff_portal.browsers.VaryOnHtmxMiddleware",
    "handoff_portal.browsers.ViewerTimeZoneMiddleware",
    "handoff_portal.browsers.PrivatePagesMiddleware",
    "common.errors_on_pages.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "handoff_portal.urls"
WSGI_APPLICATION = "handoff_portal.wsgi.application"

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
                "sla.context_processors.counts",
                "common.context_processors.portal",
            ],
            "builtins": ["template_partials.templatetags.partials", "common.templatetags.portal"],
        },
    },
    {
        # For rows of long lists only (docs/adr/0020); asked for by name.
        "NAME": "rows",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "handoff_portal.jinja.make_environment"},
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database -----------------------------------------------------------------------------------

DATABASES = {"default": env.db_url_config(database_url())}
DATABASES["default"] |= {
    "ENGINE": "common.postgresql",
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,  # the verb is the transaction
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.backends.RoleBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"
# Ten wrong passwords for one name from one address close that pair for fifteen minutes.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "429.html"

# --- API ----------------------------------------------------------------------------------------

# Whether all requests come through one reverse proxy, which says whom it speaks for.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["common.json_input.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "common.api.NewestFirstPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": ["common.throttling.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "token": env.str("API_RATE", default="60000/min"),
        "public": env.str("PUBLIC_RATE", default="60/min"),
    },
    # Whose word on the caller's address counts: the proxy's, and nobody's without one.
    "NUM_PROXIES": int(BEHIND_PROXY),
    "EXCEPTION_HANDLER": "common.api.answer_exception",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Handoff Portal API",
    "DESCRIPTION": "Leads in, handoffs out: intake, decisions, attempts and SLA clocks.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Names for choices that several fields share, or share a field name.
    "ENUM_NAME_OVERRIDES": {
        "BantAnswer": "handoffs.models.Qualification.Answer",
        "AttemptOutcome": "handoffs.models.Attempt.Outcome",
        "ClockOutcome": "sla.models.Clock.Outcome",
        "DisputeOutcome": "feedback.models.Dispute.Outcome",
        "QualityAnswer": "feedback.models.QualityCheck.Answer",
    },
}
# One inbound body may be so large; Segment's own limit for a batch is 500 kB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A scoring model in the admin: 200 rules of some twenty fields each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000

# --- Background work (django-q2; see docs/adr for its faults and what we do about them) ----------

Q_WORKERS = env.int("Q_WORKERS", default=2)
# Seconds after which a task that a killed worker held is delivered again. A cluster that finished nothing
# for that long is hung and restarted.
Q_RETRY = env.int("Q_RETRY", default=60)
Q_CLUSTER = {
    "name": "handoff_portal",
    "orm": "default",
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,  # what a killed cluster had prefetched waits for `retry`; keep it little
    "bulk": 1,
    "poll": 0.05,
    "timeout": Q_RETRY - 10 if Q_RETRY > 20 else Q_RETRY - 1,
    "retry": Q_RETRY,  # counted from dequeue, so it must exceed timeout
    "max_attempts": 5,
    "ack_failures": True,
    "catch_up": False,
    "scheduler": False,  # ours is operations.schedule
    "save_limit": -1,
    "label": "Background tasks",
}
# What runs by the clock; `manage.py sync_schedule` makes it rows.
SCHEDULE = "handoff_portal.schedule.SCHEDULE"
# The one nudge upward (ARCHITECTURE): run soon after facts about a lead changed. For latency only.
LEAD_CHANGED_TASK = "handoffs.tasks.advance_lead_soon"

# --- Salesforce ---------------------------------------------------------------------------------

# Where the REST API answers: the org's My Domain, or the stand-in's address. Blank: no Salesforce.
SALESFORCE_URL = env.str("SALESFORCE_URL", default="")
SALESFORCE_CLIENT_ID = env.str("SALESFORCE_CLIENT_ID", default="")
SALESFORCE_CLIENT_SECRET = env.str("SALESFORCE_CLIENT_SECRET", default="")
# A user name: sign in by a signed token (JWT bearer) instead, with the certificate's private key as PEM text
# (line ends may be written as \n). Sandboxes have the audience https://test.salesforce.com.
SALESFORCE_USERNAME = env.str("SALESFORCE_USERNAME", default="")
SALESFORCE_PRIVATE_KEY = env.str("SALESFORCE_PRIVATE_KEY", multiline=True, default="")
SALESFORCE_AUDIENCE = env.str("SALESFORCE_AUDIENCE", default="https://login.salesforce.com")
SALESFORCE_API_VERSION = env.str("SALESFORCE_API_VERSION", default="68.0")
SALESFORCE_TIMEOUT_SECONDS = env.float("SALESFORCE_TIMEOUT_SECONDS", default=20.0)
# Per cent of the org's daily calls that the portal may use; goes before what the connection page says.
SALESFORCE_DAILY_SHARE = env.int("SALESFORCE_DAILY_SHARE", default=None)
# So long changes other than handoffs wait for others to share their call.
SALESFORCE_GATHER_SECONDS = env.float("SALESFORCE_GATHER_SECONDS", default=15.0)

# --- Messages to people -------------------------------------------------------------------------

# smtp+tls://user:password@host:587 and the like. Unset: nothing leaves; on one's own machine, files take it.
EMAIL_URL = env.str("EMAIL_URL", default="filemail://" if DEBUG or DEMO else "dummymail://")
EMAIL_CONFIG = env.email_url_config(EMAIL_URL)
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG["EMAIL_HOST"] or "localhost"
EMAIL_PORT = EMAIL_CONFIG["EMAIL_PORT"] or 25
EMAIL_HOST_USER = EMAIL_CONFIG["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = EMAIL_CONFIG["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL_CONFIG.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = EMAIL_CONFIG["EMAIL_FILE_PATH"] or VAR / "mail"
EMAIL_TIMEOUT = 10  # seconds; a mail server that does not answer must not hold up the other ways
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=f"Handoff Portal <handoff-portal@{urlsplit(PORTAL_URL).hostname}>"
)
# Any long random strings. The first seals the addresses of channels, all of them open what was sealed before.
NOTIFICATION_KEYS = env.list("NOTIFICATION_KEY", default=[SECRET_KEY])
# Lets channels post to hosts of one's own network and without TLS.
NOTIFICATION_PRIVATE_HOSTS = env.bool("NOTIFICATION_PRIVATE_HOSTS", default=False)

# --- Pages --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING

# --- Security -----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Everything below wants HTTPS in front, which a development machine or the demo has not.
HTTPS = env.bool("HTTPS", default=not (DEBUG or DEMO or TESTING))
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs ---------------------------------------------------------------------------------------

LOGGING_CONFIG = None
configure_logging(level=env.str("LOG_LEVEL", default="INFO"), as_json=not DEBUG)

"""What the four services share; the environment is read in this package and nowhere else."""

from pathlib import Path

from store.settings import env, pages, telemetry
from store.settings.pages import *  # noqa: F403
from store.settings.telemetry import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# -- The shop -------------------------------------------------------------------------------
SERVICES: list[str] = []
PREFIXES = {
    "catalog": "/api",
    "carts": "/cart-api",
    "orders": "/order-api",
    "accounts": "/user-api",
}
DEMO = env.flag("DEMO")
# Where the services that keep their state in memory have their journals; see docs/journal.md.
DATA_DIR = env.text("DATA_DIR")
JOURNAL_SYNC = env.choice("JOURNAL_SYNC", "interval", "always", "never")
# Of each service its instances, comma separated.
SERVICE_URLS = {
    "catalog": env.addresses("BACKEND_URL", "http://127.0.0.1:8000"),
    "carts": env.addresses("CART_SERVICE_URL", "http://127.0.0.1:8001"),
    "orders": env.addresses("ORDER_SERVICE_URL", "http://127.0.0.1:8002"),
    "accounts": env.addresses("USER_SERVICE_URL", "http://127.0.0.1:8003"),
}
# One of each, for commands and links.
REMOTE_URLS = {name: urls.partition(",")[0] for name, urls in SERVICE_URLS.items()}
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", "127.0.0.1,::1")
MAX_BODY_BYTES = 256 * 1024
MAX_REQUESTS_IN_FLIGHT = env.whole("MAX_REQUESTS_IN_FLIGHT", 256, minimum=1)

# -- Keys and tokens ------------------------------------------------------------------------
SECRET_KEY = env.secret_key()
SECRET_KEY_FALLBACKS = env.secret_key_fallbacks()
USER_TOKEN_SECONDS = 30 * 60
SERVICE_TOKEN_SECONDS = 60

# -- Django ---------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "*")
ROOT_URLCONF = "store.urls"
APPEND_SLASH = False
# HTTPS and who must use it are for whatever ends TLS: the gateway, or a proxy before it.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
DATABASES: dict[str, dict[str, object]] = {}
SHARED_APPS = [
    *pages.PAGE_APPS,
    "rest_framework",
    "drf_spectacular",
    "django_prometheus",
    "corsheaders",
    "audit",
]
INSTALLED_APPS: list[str] = [*SHARED_APPS]

# The JSON API runs through the first list alone; pages run through both. See store.handler.
CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = DEMO and not CORS_ALLOWED_ORIGINS
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Link", "Idempotent-Replayed", "Retry-After"]
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type"),
    *("idempotency-key", "admin", "last-event-id"),
]
_CORS = ["store.middleware.cors"] if CORS_ALLOWED_ORIGINS or DEMO else []
_TRACED = ["store.middleware.traced"] if telemetry.TRACES else []
API_MIDDLEWARE = ["store.middleware.observed", *_TRACED, *_CORS]
MIDDLEWARE = [*API_MIDDLEWARE, *pages.PAGE_MIDDLEWARE]
PROMETHEUS_LATENCY_BUCKETS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    float("inf"),
)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["store.auth.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["store.permissions.IsAdmin"],
    "DEFAULT_SCHEMA_CLASS": "store.openapi.Schema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
}

"""What only the pages read: browsable API, admin, documentation, sign-in."""

from pathlib import Path

PAGE_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # Not the one that looks for admins in every app: each service has one, loaded when asked for.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "drf_spectacular_sidecar",
]
PAGE_MIDDLEWARE = [
    "store.pages.guarded",
    "store.static.static_files",
    "django.middleware.security.SecurityMiddleware",
    "store.cookies.Sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "store.cookies.People",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parent.parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "store.links.shop",
            ]
        },
    }
]

# One signed cookie for each service holds all of it, names and paths in store.cookies.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_AGE = 8 * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "store.pages.form_expired"
# The gateway overwrites it; a client that lies to a service directly gets cookies it cannot use.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).resolve().parent.parent / "assets"]
STORAGES = {"staticfiles": {"BACKEND": "store.static.PrefixedStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 3600

SPECTACULAR_SETTINGS = {
    "SCHEMA_PATH_PREFIX": "/",
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "POSTPROCESSING_HOOKS": [],  # values of a choice stand where they are used
}

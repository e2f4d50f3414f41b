"""Settings of the example: SQLite, an embedded broker and the sandbox, unless told otherwise.

``DATABASE_URL`` and ``CELERY_BROKER_URL`` switch to real servers; ``TAVUS_API_KEY``,
``TAVUS_BASE_URL`` and ``TAVUS_PUBLIC_URL`` to the real Tavus.
"""

from __future__ import annotations

import os
from pathlib import Path

from django_tavus.schedules import BEAT_SCHEDULE
from example.servers import broker_options, database

PROJECT = Path(__file__).resolve().parent.parent
RUN = Path(os.environ.get("EXAMPLE_RUN_DIR", PROJECT.parent / "run"))
RUN.mkdir(parents=True, exist_ok=True)

DEBUG = os.environ.get("DJANGO_DEBUG", "1") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-good-for-a-demo-on-this-machine")
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
ROOT_URLCONF = "example.urls"
WSGI_APPLICATION = "example.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = RUN / "media"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

INSTALLED_APPS = [
    "example",  # before django_tavus, to extend its room page
    "django_tavus",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "example.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES = {"default": database(os.environ.get("DATABASE_URL", f"sqlite:///{RUN}/db.sqlite3"))}

TAVUS = {
    "API_KEY": os.environ.get("TAVUS_API_KEY", "sandbox"),
    "BASE_URL": os.environ.get("TAVUS_BASE_URL", "http://127.0.0.1:8085/v2"),
    "PUBLIC_URL": os.environ.get("TAVUS_PUBLIC_URL", "http://127.0.0.1:8000"),
}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL, RUN / "broker")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE}
CELERY_BEAT_SCHEDULE_FILENAME = str(RUN / "celerybeat-schedule")
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_SEND_TASK_EVENTS = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # The access log of runserver would show the tokens in the paths of callbacks and beacons.
        "django.server": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}

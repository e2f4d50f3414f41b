"""The Celery application: everything is configured in the settings, below ``CELERY_``."""

from __future__ import annotations

import os

from celery import Celery

from example import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example.settings")

broker.install()
app = Celery("example")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The Celery app of the site, as Celery's documentation sets one up."""

from __future__ import annotations

from celery import Celery

app = Celery("benchmarks")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The Celery application of the proofs, as a host would write it."""

from __future__ import annotations

import os

from celery import Celery
from example import broker  # of the example project: its folder is on the path of the processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.prove.settings")

broker.install()
app = Celery("prove")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""Settings of the real worker of the browser tests: the site's database, sandbox and broker."""

from __future__ import annotations

import json
import os
from pathlib import Path

from example.servers import broker_options

from django_tavus.schedules import BEAT_SCHEDULE
from tests.settings import *  # noqa: F403

SITE = json.loads(os.environ["BROWSER_SITE"])
DATABASES = {"default": SITE["database"]}
TAVUS = SITE["tavus"]
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL, Path(SITE["broker"]))
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(Path(SITE["broker"]) / "schedule")
CELERY_TASK_IGNORE_RESULT = True

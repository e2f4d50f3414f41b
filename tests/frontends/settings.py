"""The settings of a site that publishes its schema, as docs/frontends.md says."""

from __future__ import annotations

from tests import settings as ours
from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*ours.INSTALLED_APPS, "drf_spectacular"]
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

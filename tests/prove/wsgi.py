"""The site of the proofs: REST API and callbacks."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from tests.prove.app import app  # noqa: F401 - enqueuing goes to the current Celery application

application = get_wsgi_application()

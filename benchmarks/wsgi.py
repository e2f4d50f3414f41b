"""What gunicorn serves."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from benchmarks.celeryapp import app as celery_app

__all__ = ["application", "celery_app"]

application = get_wsgi_application()

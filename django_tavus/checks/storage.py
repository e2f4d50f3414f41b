"""Where rows and files are kept."""

from __future__ import annotations

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning as Notice
from django.db import DEFAULT_DB_ALIAS, router

from django_tavus.conf import TavusSettings
from django_tavus.services.documents import storage_problem


def document_storage(current: TavusSettings) -> list[CheckMessage]:
    """W006: uploaded documents would have no address at which Tavus could fetch them."""
    problem = storage_problem()
    if not problem:
        return []
    hint = "Documents given by URL work all the same; uploads are refused."
    return [Notice(problem, hint=hint, id="django_tavus.W006")]


def database_router(current: TavusSettings) -> list[CheckMessage]:
    """E005: rows in another database, where no transaction of ours would hold them together."""
    models = apps.get_app_config("django_tavus").get_models()
    away = {
        model.__name__: alias
        for model in models
        if (alias := router.db_for_write(model)) != DEFAULT_DB_ALIAS
    }
    if not away:
        return []
    shown = ", ".join(f'{name} to "{alias}"' for name, alias in away.items())
    hint = (
        f'Let every router in DATABASE_ROUTERS answer "{DEFAULT_DB_ALIAS}" or None for the app '
        "django_tavus: elsewhere nothing is atomic, and tasks start before their rows are there."
    )
    message = f"The database router sends models of django_tavus elsewhere: {shown}."
    return [Error(message, hint=hint, id="django_tavus.E005")]

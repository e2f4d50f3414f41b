"""The app's entry in Django's registry."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TavusConfig(AppConfig):
    """Registers the models and the system checks; does nothing else at start."""

    name = "django_tavus"
    verbose_name = _("Tavus")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks by importing them."""
        from django_tavus import checks  # noqa: F401 - Django's place to register checks

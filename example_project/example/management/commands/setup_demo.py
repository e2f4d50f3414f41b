"""``manage.py setup_demo``: the user demo/demo, and the account's personas and replicas."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from django_tavus.models import Persona, Replica
from django_tavus.services.syncing import sync_objects

NAME = PASSWORD = "demo"


class Command(BaseCommand):
    """Prepare the demo; may run any number of times."""

    help = "Make the user demo/demo and fetch personas and replicas from Tavus."

    def handle(self, *args: Any, **options: Any) -> None:
        user, _ = get_user_model().objects.get_or_create(username=NAME)
        user.is_staff = user.is_superuser = True
        user.set_password(PASSWORD)
        user.save()
        for kind in ("replicas", "personas"):
            sync_objects(kind)
        personas, replicas = Persona.objects.known().count(), Replica.objects.known().count()
        self.stdout.write(f"User demo/demo, {personas} personas, {replicas} replicas.")

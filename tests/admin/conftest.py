from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

VIEW = ("view_conversation", "view_persona", "view_replica", "view_document", "view_webhookevent")


class Staff(Client):
    """A browser with a member of staff in front of it."""

    user: Any

    def page(self, obj: Any) -> str:
        return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])

    def tool(self, obj: Any, name: str, **data: Any) -> Any:
        return self.post(tool_url(obj, name), data)


def tool_url(obj: Any, name: str) -> str:
    return reverse(f"admin:django_tavus_{obj._meta.model_name}_tool", args=[obj.pk, name])


def changelist_url(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def staff(db: None) -> Callable[..., Staff]:
    """Make a member of staff with these permissions of the app."""

    def make(*codenames: str, superuser: bool = False, **options: Any) -> Staff:
        users = get_user_model().objects
        name = f"staff{users.count()}"
        user = users.create(username=name, is_staff=True, is_superuser=superuser)
        granted = Permission.objects.filter(codename__in=codenames)
        assert granted.count() == len(set(codenames)), "a permission that does not exist"
        user.user_permissions.set(granted)
        client = Staff(**options)
        client.user = user
        client.force_login(user)
        return client

    return make


@pytest.fixture
def boss(staff: Callable[..., Staff]) -> Staff:
    return staff(superuser=True)


@pytest.fixture
def viewer(staff: Callable[..., Staff]) -> Staff:
    return staff(*VIEW)


@contextmanager
def counted() -> Iterator[CaptureQueriesContext]:
    """Count the queries of a block."""
    with CaptureQueriesContext(connection) as queries:
        yield queries

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from django_tavus.models import Persona
from django_tavus.testing.factories import make_persona

ROOT = "/tavus/api"
CONVERSATIONS = f"{ROOT}/conversations/"


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(name: str, *codenames: str, **values: Any) -> User:
        user = User.objects.create_user(name, **values)
        user.user_permissions.set(
            Permission.objects.filter(
                content_type__app_label="django_tavus", codename__in=codenames
            )
        )
        assert user.user_permissions.count() == len(codenames)
        return user

    return make


@pytest.fixture
def make_staff(make_user: Callable[..., User]) -> Callable[..., User]:
    def make(*codenames: str) -> User:
        return make_user("staff-" + "-".join(codenames), *codenames, is_staff=True)

    return make


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user("owner")


@pytest.fixture
def as_user() -> Callable[[User | None], APIClient]:
    """A client with a real session; ``None`` is nobody."""

    def make(user: User | None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def api(as_user: Callable[[User], APIClient], owner: User) -> APIClient:
    """The owner's client."""
    return as_user(owner)


@pytest.fixture
def persona(db: None) -> Persona:
    return make_persona()

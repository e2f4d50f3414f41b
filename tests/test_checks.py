from __future__ import annotations

import pytest
from celery import current_app
from django.core.checks import Tags, run_checks
from django.core.files.storage import Storage

from django_tavus import checks
from django_tavus.conf import KNOWN_KEYS, get_settings
from django_tavus.models import Document

GOOD = {
    "API_KEY": "key",
    "PUBLIC_URL": "https://site.example",
    "MAX_CONCURRENT": 3,
}


def ids(settings, *, deploy=False, **changes):
    settings.TAVUS = {**GOOD, **changes}
    messages = run_checks(tags=[Tags.security], include_deployment_checks=deploy)
    return [m.id for m in messages if m.id.startswith("django_tavus.")]


def test_good_settings_raise_nothing(settings):
    assert ids(settings) == []
    assert [i for i in ids(settings, deploy=True) if i != "django_tavus.E104"] == []


def test_a_missing_key(settings):
    assert ids(settings, API_KEY="") == ["django_tavus.E001"]


def test_an_unknown_key_names_the_one_that_was_meant(settings):
    settings.TAVUS = {**GOOD, "PUBLC_URL": "x"}
    (message,) = checks.check_settings()
    assert message.id == "django_tavus.E002"
    assert "PUBLIC_URL" in message.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("API_KEY", 7),
        ("TIMEOUT", 30),
        ("TIMEOUT", (1, 2, 3)),
        ("TIMEOUT", "12"),
        ("TIMEOUT", (0, 5)),
        ("CONVERSATION_DEFAULTS", []),
        ("MAX_CONCURRENT", "3"),
        ("MAX_CONCURRENT", 0),
        ("MAX_CONCURRENT", True),
        ("DAILY_MINUTES", -1),
        ("API_PAGE_SIZE", 101),
        ("API_LAUNCH_FIELDS", "properties"),
        ("API_AUTHENTICATION_CLASSES", "rest_framework.authentication.SessionAuthentication"),
        ("API_PERMISSION_CLASSES", [1]),
        ("RETENTION_DAYS", 1.5),
    ],
)
def test_a_wrong_type_names_the_key_and_not_the_value(settings, key, value):
    settings.TAVUS = {**GOOD, key: value}
    (message,) = checks.check_settings()
    assert message.id == "django_tavus.E003"
    assert key in message.msg


def test_every_key_has_a_type():
    assert set(checks.TYPES) == KNOWN_KEYS


def test_sequences_of_two_are_fine_as_time_outs(settings):
    assert ids(settings, TIMEOUT=[1, 2.5]) == []
    assert get_settings().request_seconds == 3.5


@pytest.mark.parametrize(
    "defaults",
    [{"topic": "x"}, {"max_participants": 1}, {"properties": {"language": "en"}}],
)
def test_defaults_that_no_launch_survives(settings, defaults):
    assert ids(settings, CONVERSATION_DEFAULTS=defaults) == ["django_tavus.E004"]


@pytest.mark.parametrize(
    "url", ["http://site.example", "https://localhost:8000", "http://127.0.0.1"]
)
def test_an_address_that_tavus_cannot_reach(settings, url):
    assert ids(settings, PUBLIC_URL=url) == ["django_tavus.W001"]
    assert "django_tavus.E101" in ids(settings, PUBLIC_URL=url, deploy=True)


def test_loopback_is_fine_while_developing(settings):
    settings.DEBUG = True
    assert (
        ids(settings, PUBLIC_URL="http://127.0.0.1:8000", BASE_URL="http://127.0.0.1:8085/v2") == []
    )


def test_the_sandbox_in_production(settings):
    assert ids(settings, BASE_URL="http://127.0.0.1:8085/v2") == ["django_tavus.W002"]
    assert "django_tavus.E102" in ids(settings, BASE_URL="http://127.0.0.1/v2", deploy=True)


def test_urls_that_are_not_mounted(settings):
    settings.ROOT_URLCONF = "tests.empty_urls"
    assert "django_tavus.W003" in ids(settings)


def test_redis_without_time_outs(settings, monkeypatch):
    monkeypatch.setitem(current_app.conf, "broker_url", "redis://127.0.0.1/0")
    assert ids(settings) == ["django_tavus.W004"]
    options = {"socket_timeout": 5, "socket_connect_timeout": 1}
    monkeypatch.setitem(current_app.conf, "broker_transport_options", options)
    assert ids(settings) == []


def test_launching_without_a_limit(settings):
    assert ids(settings, MAX_CONCURRENT=None) == ["django_tavus.W005"]


def test_uploads_that_tavus_could_not_fetch(settings):
    assert ids(settings, PUBLIC_URL="") == ["django_tavus.W006"]
    assert ids(settings) == []


def test_a_storage_without_urls(settings, monkeypatch):
    storage = Document._meta.get_field("file").storage
    monkeypatch.setattr(storage, "url", Storage().url)
    (message,) = checks.document_storage(get_settings())
    assert message.id == "django_tavus.W006"
    assert "no URLs" in message.msg


def test_a_storage_with_urls_of_its_own_needs_no_public_url(settings, monkeypatch):
    storage = Document._meta.get_field("file").storage
    monkeypatch.setattr(storage, "url", lambda name: f"https://files.example/{name}")
    assert ids(settings, PUBLIC_URL="") == []


def test_settings_are_read_live(settings):
    settings.TAVUS = {**GOOD, "API_KEY": lambda: "from the vault"}
    assert get_settings().resolve_api_key() == "from the vault"
    settings.TAVUS = {**GOOD, "API_KEY": "other"}
    assert get_settings().resolve_api_key() == "other"
    assert "other" not in repr(get_settings())

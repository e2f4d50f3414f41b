from __future__ import annotations

import pytest
from celery import current_app
from django.core.checks import WARNING, Tags, run_checks
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
        *(("BASE_URL", url) for url in ("", "tavusapi.com/v2", "ftp://tavusapi.com", "https://[")),
        *(("PUBLIC_URL", url) for url in (None, "https://[", "https://")),
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


@pytest.mark.parametrize("url", ["amqp://127.0.0.1//", "amqps://127.0.0.1//", "pyamqp://host//"])
def test_rabbitmq_with_a_prefetch_count_that_is_reduced(settings, monkeypatch, url):
    monkeypatch.setitem(current_app.conf, "broker_url", url)
    assert ids(settings) == ["django_tavus.W008"]
    monkeypatch.setitem(current_app.conf, "worker_enable_prefetch_count_reduction", False)
    assert ids(settings) == []


def test_the_prefetch_count_matters_where_messages_are_read(settings, monkeypatch):
    monkeypatch.setitem(current_app.conf, "broker_url", "memory://")
    monkeypatch.setitem(current_app.conf, "broker_read_url", "amqp://127.0.0.1//")
    assert ids(settings) == ["django_tavus.W008"]


@pytest.mark.parametrize("url", ["memory://", "filesystem://", "sqs://"])
def test_other_brokers_need_no_word_on_the_prefetch_count(settings, monkeypatch, url):
    monkeypatch.setitem(current_app.conf, "broker_url", url)
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


ROOM = "https://tavus.daily.co"


def room_messages(settings):
    settings.TAVUS = GOOD
    return checks.room_headers(get_settings())


@pytest.mark.parametrize(
    "policy",
    [
        {"default-src": ["'self'"]},
        {"default-src": "'none'"},
        {"default-src": [ROOM], "frame-src": ("'self'",)},
        {"default-src": [ROOM], "child-src": {"'none'"}},
        {"frame-src": True},  # rendered without a source: nothing may be framed
        {"frame-src": ["https://tavus.example"]},
        {"frame-src": ["https://daily.co"]},
        {"frame-src": ["https://tavus.daily.co:8443"]},
        {"frame-src": ["https://[broken"]},
        {"frame-src": ["data:"]},
    ],
)
@pytest.mark.parametrize("name", ["SECURE_CSP", "SECURE_CSP_REPORT_ONLY"])
def test_a_policy_of_django_that_keeps_rooms_out(settings, name, policy):
    setattr(settings, name, policy)
    (message,) = room_messages(settings)
    assert (message.id, message.level) == ("django_tavus.W007", WARNING)
    assert message.msg.startswith(f"{name}: ")
    assert ROOM in message.hint
    assert "frame-src" in message.hint


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"script-src": ["'self'"]},
        {"default-src": ["*"]},
        {"default-src": ["'self'", "https:"]},
        {"default-src": ["'none'"], "frame-src": [ROOM]},
        {"default-src": ["'none'"], "child-src": [ROOM]},
        {"frame-src": "'self' https://*.daily.co"},
        {"frame-src": {"tavus.daily.co"}},
        {"frame-src": ["tavus.daily.co:443"]},
        {"frame-src": ["https://tavus.daily.co:*"]},
        {"frame-src": ["http://tavus.daily.co"]},
        {"frame-src": None, "child-src": False},  # not sent
    ],
)
def test_a_policy_that_lets_rooms_in(settings, policy):
    settings.SECURE_CSP = policy
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy}
    assert room_messages(settings) == []


@pytest.mark.parametrize("name", ["CONTENT_SECURITY_POLICY", "CONTENT_SECURITY_POLICY_REPORT_ONLY"])
def test_a_policy_of_django_csp_that_keeps_rooms_out(settings, name):
    setattr(settings, name, {"DIRECTIVES": {"default-src": ["'self'"]}})
    (message,) = room_messages(settings)
    assert message.id == "django_tavus.W007"
    assert name in message.msg


def test_rooms_of_the_sandbox_are_where_the_sandbox_is(settings):
    settings.SECURE_CSP = {"frame-src": [ROOM]}
    settings.TAVUS = {**GOOD, "BASE_URL": "http://127.0.0.1:8085/v2"}
    (message,) = checks.room_headers(get_settings())
    assert '"http://127.0.0.1:8085"' in message.hint
    settings.SECURE_CSP = {"frame-src": ["http://127.0.0.1:8085"]}
    assert checks.room_headers(get_settings()) == []


@pytest.mark.parametrize("value", [[], "self", ["self"], ["self", "https://x.example"], "none"])
def test_a_permissions_policy_that_keeps_the_camera_from_rooms(settings, value):
    settings.PERMISSIONS_POLICY = {"camera": value, "geolocation": []}
    (message,) = room_messages(settings)
    assert message.id == "django_tavus.W007"
    assert "camera" in message.msg
    assert "microphone" not in message.msg
    assert ROOM in message.hint


@pytest.mark.parametrize("value", ["*", ["*"], ["self", ROOM], ["self", "https://*.daily.co"]])
def test_a_permissions_policy_that_gives_rooms_the_camera(settings, value):
    settings.PERMISSIONS_POLICY = {"camera": value, "microphone": value}
    assert room_messages(settings) == []


@pytest.mark.parametrize("name", ["SECURE_CSP", "CONTENT_SECURITY_POLICY", "PERMISSIONS_POLICY"])
@pytest.mark.parametrize("value", [None, "frame-src 'none'", 7, {"DIRECTIVES": None}])
def test_policies_of_another_shape_are_left_alone(settings, name, value):
    setattr(settings, name, value)
    assert room_messages(settings) == []


def test_the_check_of_the_headers_is_among_those_that_run(settings):
    settings.SECURE_CSP = {"default-src": ["'self'"]}
    assert ids(settings) == ["django_tavus.W007"]


def test_settings_are_read_live(settings):
    settings.TAVUS = {**GOOD, "API_KEY": lambda: "from the vault"}
    assert get_settings().resolve_api_key() == "from the vault"
    settings.TAVUS = {**GOOD, "API_KEY": "other"}
    assert get_settings().resolve_api_key() == "other"
    assert "other" not in repr(get_settings())

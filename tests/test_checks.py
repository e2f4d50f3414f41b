from __future__ import annotations

import pytest
from celery import current_app
from django.core.checks import ERROR, WARNING, Tags, run_checks
from django.core.files.storage import Storage
from rest_framework.permissions import BasePermission, IsAdminUser, IsAuthenticated

from django_tavus import checks
from django_tavus.api.throttling import LaunchThrottle
from django_tavus.checks.meanings import MEANINGS
from django_tavus.checks.values import TYPES
from django_tavus.conf import KNOWN_KEYS, get_settings
from django_tavus.models import Document
from django_tavus.services.launch_fields import LAUNCH_FIELDS
from django_tavus.services.request_fields import PROPERTIES

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
        *(("RETENTION_DAYS", days) for days in (1.5, 0, -1)),
    ],
)
def test_a_wrong_type_names_the_key_and_not_the_value(settings, key, value):
    settings.TAVUS = {**GOOD, key: value}
    (message,) = checks.check_settings()
    assert message.id == "django_tavus.E003"
    assert key in message.msg


def wrong_values(settings, **changes):
    settings.TAVUS = {**GOOD, **changes}
    messages = checks.check_settings()
    assert {message.id for message in messages} <= {"django_tavus.E003"}
    return messages


@pytest.mark.parametrize(
    "rate",
    [
        "20 per hour",
        "20/fortnight",
        "20/month",
        "20 / hour",
        "20/",
        "/hour",
        "",
        "20",
        "-1/h",
        "x/h",
        "1/Hour",
    ],
)
def test_a_rate_that_no_request_survives_or_that_means_another(settings, rate):
    (message,) = wrong_values(settings, API_THROTTLE_RATE=rate)
    assert "API_THROTTLE_RATE" in message.msg
    assert "20/hour" in message.msg
    assert "second, minute, hour or day" in message.hint


@pytest.mark.parametrize(
    "rate", ["1/s", "5/sec", "2/min", "100/hour", "20/hours", "3/day", "0/d", None]
)
def test_rates_are_those_of_rest_framework(settings, rate):
    settings.TAVUS = {**GOOD, "API_THROTTLE_RATE": rate}
    LaunchThrottle()  # raises what it cannot read
    assert checks.check_settings() == []


@pytest.mark.parametrize("key", ["API_PERMISSION_CLASSES", "API_AUTHENTICATION_CLASSES"])
@pytest.mark.parametrize(
    "path",
    ["IsAuthenticated", "", ".x", "no_such_module.Class", "rest_framework.permission.IsAdminUser"],
)
def test_a_class_that_cannot_be_imported(settings, key, path):
    (message,) = wrong_values(settings, **{key: [path]})
    assert key in message.msg
    assert f'"{path}"' in message.msg
    assert message.hint


@pytest.mark.parametrize(
    ("key", "path", "meant"),
    [
        ("API_PERMISSION_CLASSES", "rest_framework.permissions.IsAuthentcated", "IsAuthenticated"),
        (
            "API_AUTHENTICATION_CLASSES",
            "rest_framework.authentication.TokenAuthentification",
            "TokenAuthentication",
        ),
    ],
)
def test_a_misspelt_class_names_the_one_that_was_meant(settings, key, path, meant):
    (message,) = wrong_values(settings, **{key: [path]})
    assert f'Did you mean "{path.rpartition(".")[0]}.{meant}"?' in message.hint


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("API_PERMISSION_CLASSES", "rest_framework.permissions.SAFE_METHODS"),
        ("API_PERMISSION_CLASSES", "rest_framework.authentication.SessionAuthentication"),
        ("API_AUTHENTICATION_CLASSES", "rest_framework.permissions.IsAuthenticated"),
        ("API_AUTHENTICATION_CLASSES", BasePermission),
    ],
)
def test_a_class_of_another_kind(settings, key, path):
    (message,) = wrong_values(settings, **{key: [path]})
    assert key in message.msg


EITHER = IsAdminUser | IsAuthenticated


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("API_PERMISSION_CLASSES", ["rest_framework.permissions.IsAdminUser", IsAuthenticated]),
        ("API_PERMISSION_CLASSES", [f"{__name__}.EITHER"]),
        ("API_PERMISSION_CLASSES", ()),
        ("API_AUTHENTICATION_CLASSES", "inherit"),
        ("API_AUTHENTICATION_CLASSES", ["rest_framework.authentication.BasicAuthentication"]),
    ],
)
def test_classes_that_serve(settings, key, value):
    assert wrong_values(settings, **{key: value}) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("custom_greting", 'Did you mean "custom_greeting"?'),
        ("property.max_call_duration", 'Did you mean "properties.max_call_duration"?'),
        ("properties.max_call_duraton", 'Did you mean "properties.max_call_duration"?'),
        ("callback_url", "conversation_name"),  # nobody may set it from outside
        ("zzz", "conversation_name"),
    ],
)
def test_a_launch_field_that_there_is_not(settings, name, hint):
    (message,) = wrong_values(settings, API_LAUNCH_FIELDS=["audio_only", name])
    assert "API_LAUNCH_FIELDS" in message.msg
    assert f'"{name}"' in message.msg
    assert hint in message.hint


def test_every_field_that_may_be_opened_is_known(settings):
    names = [*LAUNCH_FIELDS, *(f"properties.{key}" for key in PROPERTIES)]
    assert wrong_values(settings, API_LAUNCH_FIELDS=names) == []


@pytest.mark.parametrize("key", ["PUBLIC_URL", "BASE_URL"])
@pytest.mark.parametrize("tail", ["/?a=b", "#top", "/x?", "/#"])
def test_an_address_to_which_no_path_can_be_added(settings, key, tail):
    (message,) = wrong_values(settings, **{key: f"https://tavusapi.com{tail}"})
    assert f'TAVUS["{key}"]' in message.msg
    assert "?" in message.hint


def test_every_key_has_a_type():
    assert set(TYPES) == KNOWN_KEYS
    assert set(MEANINGS) < KNOWN_KEYS


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


def routed(**aliases):
    """A router of a host that sends some of our models elsewhere."""

    class Router:
        def db_for_write(self, model, **hints):
            return aliases.get(model.__name__) if model._meta.app_label == "django_tavus" else None

    return Router()


def test_models_that_are_written_to_another_database(settings):
    settings.DATABASE_ROUTERS = [routed(Conversation="other", WebhookEvent="other")]
    settings.TAVUS = GOOD
    (message,) = checks.check_settings()
    assert (message.id, message.level) == ("django_tavus.E005", ERROR)
    assert "Conversation" in message.msg
    assert "WebhookEvent" in message.msg
    assert "Persona" not in message.msg
    assert '"default"' in message.hint
    assert "DATABASE_ROUTERS" in message.hint


def test_routers_that_leave_our_models_alone(settings):
    settings.DATABASE_ROUTERS = [routed(), routed(Conversation="default")]
    assert ids(settings) == []


def test_under_deploy_what_was_a_warning_is_an_error_too(settings):
    faults = {"PUBLIC_URL": "http://site.example", "BASE_URL": "http://h/v2"}
    warned = ["django_tavus.W001", "django_tavus.W002"]
    assert ids(settings, **faults) == warned
    failed = ["django_tavus.E101", "django_tavus.E102"]
    assert ids(settings, deploy=True, **faults) == [*warned, *failed]


def test_what_is_a_warning_in_production_too_stays_one(settings):
    settings.SECURE_CSP = {"default-src": ["'self'"]}
    assert ids(settings, deploy=True) == ["django_tavus.W007"]


def test_the_deployment_checks_say_all_when_asked_alone(settings):
    settings.TAVUS = {**GOOD, "PUBLIC_URL": "http://site.example"}
    (message,) = checks.check_deployment()
    assert (message.id, message.level) == ("django_tavus.E101", ERROR)


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

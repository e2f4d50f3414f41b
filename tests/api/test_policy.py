from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, JsonResponse
from django.test.utils import override_script_prefix
from django.urls import include, path, resolve
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import exception_handler

from django_tavus.testing.factories import make_conversation
from tests.api.conftest import CONVERSATIONS, ROOT


class HeaderAuthentication(BaseAuthentication):
    """Signs in the user that X-User names; an unknown one is somebody without an account."""

    def authenticate(self, request: Any) -> Any:
        from django.contrib.auth.models import User

        name = request.headers.get("X-User")
        if not name:
            return None
        return User.objects.filter(username=name).first() or Stranger(), None

    def authenticate_header(self, request: Any) -> str:
        return "Header"


class Stranger(AnonymousUser):
    is_authenticated = True  # as a token without an account in this database


class DenyAll(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


def handler(exc: Exception, context: Any) -> Response | None:
    answer = exception_handler(exc, context)
    if answer is not None:
        answer.data = {"error": {"status": answer.status_code}}
    return answer


HOST = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.HeaderAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [f"{__name__}.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": None,
    "ALLOWED_VERSIONS": ["never"],
    "PAGE_SIZE": 1,
    "DATETIME_FORMAT": "%d.%m.%Y",
    "UNICODE_JSON": False,
    "URL_FORMAT_OVERRIDE": "fmt",
    "UNAUTHENTICATED_USER": None,
}


@pytest.fixture
def tavus(settings):
    def change(**values: Any) -> None:
        settings.TAVUS = {**settings.TAVUS, **values}

    return change


def test_hosts_rest_framework_changes_nothing(api, persona, owner, settings):
    make_conversation(owner=owner, conversation_name="Zoë", status="ended")
    before = api.get(CONVERSATIONS)
    settings.REST_FRAMEWORK = HOST
    after = api.get(CONVERSATIONS, {"fmt": "nonsense"})
    assert after.status_code == 200
    assert after.content == before.content
    assert "Zoë".encode() in after.content
    answer = api.post(CONVERSATIONS, {"persona_id": persona.tavus_id}, format="json")
    assert answer.status_code == 202
    assert APIClient().get(CONVERSATIONS).status_code == 403


def test_hosts_rest_framework_at_import_changes_nothing():
    """Most of DRF's defaults are read when a class is made: a process of its own shows them."""
    script = """
import os
import django
from django.conf import settings
from tests import settings as ours
host = {"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "PAGE_SIZE": 1, "UNICODE_JSON": False, "COMPACT_JSON": False, "DATETIME_FORMAT": "%d"}
settings.configure(**{k: v for k, v in vars(ours).items() if k.isupper()}, REST_FRAMEWORK=host)
django.setup()
from rest_framework.views import APIView
from django_tavus.api.policy import TavusViewSet
from django_tavus.api.views import *
names = ["renderer_classes", "parser_classes", "throttle_classes", "permission_classes",
    "content_negotiation_class", "metadata_class", "versioning_class", "pagination_class",
    "filter_backends"]
missing = [name for name in names if name not in vars(TavusViewSet)]
assert not missing, missing
for view in (ConversationViewSet, PersonaViewSet, ReplicaViewSet, DocumentViewSet):
    view = view()
    view.action = "list"
    assert [type(p).__name__ for p in view.get_permissions()][0] == "HasAccount"
    assert [type(a).__name__ for a in view.get_authenticators()] == ["SessionAuthentication"]
    assert view.get_throttles() == []
print("fine")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.stdout == "fine\n", done.stderr


def test_hosts_exception_handler_stays_in_charge(api, settings):
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": handler}
    answer = api.post(CONVERSATIONS, {}, format="json")
    assert answer.status_code == 400
    assert answer.json() == {"error": {"status": 400}}


def plain_handler(exc: Exception, context: Any) -> HttpResponse:
    return JsonResponse({"error": str(exc)}, status=422)


def test_hosts_exception_handler_may_answer_without_drf(api, settings):
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": plain_handler}
    answer = api.put(CONVERSATIONS)
    assert answer.status_code == 422
    assert list(answer.json()) == ["error"]
    assert answer["Cache-Control"] == "private, no-store"


def test_hosts_name_for_errors_of_a_whole_body_is_not_ours(as_user, make_user, persona, settings):
    settings.REST_FRAMEWORK = {"NON_FIELD_ERRORS_KEY": "whole"}
    chief = as_user(make_user("chief", is_superuser=True))
    for tail in ("conversations/", "personas/", f"personas/{persona.pk}/resolve/"):
        answer = chief.post(f"{ROOT}/{tail}", [], format="json")
        assert answer.json() == {"non_field_errors": ["The body must be a JSON object."]}


@pytest.mark.parametrize("path", ["conversations/", "personas/", "documents/", "usage/"])
def test_model_permissions_of_drf_come_on_top(as_user, make_user, tavus, path):
    tavus(API_PERMISSION_CLASSES=["rest_framework.permissions.DjangoModelPermissions"])
    assert (
        as_user(make_user("chief", is_superuser=True, is_staff=True))
        .get(f"{ROOT}/{path}")
        .status_code
        == 200
    )


@pytest.mark.parametrize("path", ["conversations/", "personas/", "personas/{key}/resolve/"])
def test_options_do_not_pass_answers_for_bodies(as_user, make_user, persona, path):
    chief = as_user(make_user("chief", is_superuser=True))
    answer = chief.options(f"{ROOT}/{path}".format(key=persona.pk))
    assert answer.json()["parses"] == ["application/json"]
    assert "actions" not in answer.json()


def test_inherit_takes_the_hosts_authentication(owner, settings, tavus):
    settings.REST_FRAMEWORK = HOST
    tavus(API_AUTHENTICATION_CLASSES="inherit")
    client = APIClient()
    assert client.get(CONVERSATIONS, headers={"X-User": "owner"}).status_code == 200
    answer = client.get(CONVERSATIONS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Header"


@pytest.mark.parametrize("one", [HeaderAuthentication, f"{__name__}.HeaderAuthentication"])
def test_authentication_is_a_class_or_a_path(owner, tavus, one):
    tavus(API_AUTHENTICATION_CLASSES=[one])
    assert APIClient().get(CONVERSATIONS, headers={"X-User": "owner"}).status_code == 200


def test_permission_classes_come_on_top(api, tavus):
    tavus(API_PERMISSION_CLASSES=[DenyAll])
    answer = api.get(CONVERSATIONS)
    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


@pytest.mark.parametrize("url", ["conversations/", "personas/", "replicas/", "documents/"])
def test_open_permission_classes_let_nobody_in_without_an_account(db, tavus, url):
    make_conversation(owner=None)
    tavus(API_PERMISSION_CLASSES=[AllowAny], API_AUTHENTICATION_CLASSES=[HeaderAuthentication])
    assert APIClient().get(f"{ROOT}/{url}").status_code == 401
    assert APIClient().get(f"{ROOT}/{url}", headers={"X-User": "nobody"}).status_code == 403


def test_open_permission_classes_keep_owners_apart(as_user, make_user, owner, tavus):
    tavus(API_PERMISSION_CLASSES=[AllowAny])
    conversation = make_conversation(owner=owner)
    other = as_user(make_user("other"))
    assert other.get(f"{CONVERSATIONS}{conversation.pk}/").status_code == 404


def test_errors_carry_a_code(api, db):
    assert APIClient().get(CONVERSATIONS).json()["code"] == "not_authenticated"
    assert api.put(CONVERSATIONS).json()["code"] == "method_not_allowed"
    unknown = f"{CONVERSATIONS}00000000-0000-4000-8000-000000000000/"
    assert api.get(unknown).json()["code"] == "not_found"


def test_every_answer_stays_out_of_caches(api, persona):
    for answer in (
        api.get(CONVERSATIONS),
        api.get(f"{ROOT}/personas/"),
        api.post(CONVERSATIONS, {}, format="json"),
        APIClient().get(CONVERSATIONS),
    ):
        assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("status", ["queued", "launching", "active", "ended", "failed"])
def test_no_answer_about_a_conversation_is_kept_by_a_cache(api, owner, persona, status):
    row = make_conversation(owner=owner, status=status)
    url = f"{CONVERSATIONS}{row.pk}/"
    etag = api.get(url)["ETag"]
    answers = [
        api.get(CONVERSATIONS),
        api.head(CONVERSATIONS),
        api.get(url),
        api.head(url),
        api.get(url, headers={"If-None-Match": etag}),
        api.get(url, headers={"If-Match": '"other"'}),
        api.get(url, headers={"Accept": "text/html"}),
        api.get(f"{CONVERSATIONS}nothing/"),
        api.get(f"{url}transcript/"),
        api.get(f"{url}transcript/", {"format": "vtt"}),
        api.post(f"{url}end/"),
        api.put(url),
        api.options(url),
        api.post(CONVERSATIONS, {"persona_id": persona.tavus_id}, format="json"),
        api.post(CONVERSATIONS, b"{", content_type="application/json"),
        api.post(CONVERSATIONS, b"{}", content_type="text/plain"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 202, 304, 400, 404, 405, 406, 412}
    assert {answer.headers.get("Cache-Control") for answer in answers} == {"private, no-store"}


def test_options_tell_no_secrets(api, as_user, persona):
    assert api.options(CONVERSATIONS).status_code == 200
    assert as_user(None).options(CONVERSATIONS).status_code == 403


urlpatterns = [path("deep/video/", include("django_tavus.urls"))]


@pytest.mark.urls(__name__)
def test_any_prefix_will_do(api, owner):
    row = make_conversation(owner=owner)
    answer = api.get("/deep/video/api/conversations/?page_size=1")
    assert [one["id"] for one in answer.json()["results"]] == [str(row.pk)]


def test_script_name_is_part_of_links(api, owner, persona):
    for _ in range(2):
        make_conversation(owner=owner)
    answer = api.get(CONVERSATIONS, {"page_size": 1}, SCRIPT_NAME="/mount")
    assert answer.json()["next"].startswith(f"http://testserver/mount{CONVERSATIONS}?")
    with override_script_prefix("/mount/"):  # Django's handler sets it, its test client does not
        answer = api.post(CONVERSATIONS, {"persona_id": persona.tavus_id}, format="json")
    assert answer["Location"].startswith(f"/mount{CONVERSATIONS}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["conversations/", "personas/"])
def test_views_are_outside_of_atomic_requests(url):
    view = resolve(f"{ROOT}/{url}").func
    assert view._non_atomic_requests == {"default"}


def test_without_time_zones_moments_are_read_and_shown(api, owner, settings):
    settings.USE_TZ = False
    row = make_conversation(owner=owner, persona=None, status="queued")
    make_conversation(owner=owner, persona=None, status="queued")
    shown = api.get(f"{CONVERSATIONS}{row.pk}/").json()
    assert shown["created_at"] == row.created_at.isoformat()
    first = api.get(CONVERSATIONS, {"page_size": 1}).json()
    assert api.get(first["next"]).json()["results"][0]["id"] == str(row.pk)
    found = api.get(CONVERSATIONS, {"created_after": "2020-01-01T00:00:00Z"})
    assert len(found.json()["results"]) == 2


def test_login_required_middleware_does_not_redirect(db, settings):
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    answer = APIClient().get(CONVERSATIONS)
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_authenticated"

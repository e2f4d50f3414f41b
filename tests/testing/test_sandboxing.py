"""What ``sandboxed()`` and the fixture change, and take back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from celery import current_app
from django.conf import settings as site
from django.db import IntegrityError, transaction
from django.test import override_settings

from django_tavus.models import WebhookEvent
from django_tavus.services import launch_conversation
from django_tavus.testing import (
    deliver_callback,
    deliver_due,
    make_conversation,
    make_persona,
    sandboxed,
)
from django_tavus.testing.committing import commit_at_once


@pytest.fixture
def ran():
    return []


@pytest.mark.django_db
def test_callbacks_run_when_the_outermost_transaction_of_the_site_ends(ran):
    with commit_at_once():
        with transaction.atomic():
            with transaction.atomic():
                transaction.on_commit(lambda: ran.append(1))
            assert ran == []
        assert ran == [1]
        transaction.on_commit(lambda: ran.append(2))
        assert ran == [1, 2]


@pytest.mark.django_db
def test_callbacks_of_what_was_rolled_back_never_run(ran):
    with commit_at_once():
        with suppress(IntegrityError), transaction.atomic():
            transaction.on_commit(lambda: ran.append(1))
            raise IntegrityError
        with transaction.atomic():
            transaction.on_commit(lambda: ran.append(2))
        assert ran == [2]


@pytest.mark.django_db
def test_a_callback_may_register_another(ran):
    with commit_at_once():
        transaction.on_commit(lambda: transaction.on_commit(lambda: ran.append(1)))
        assert ran == [1]


@pytest.mark.django_db
def test_what_was_registered_before_waits(ran):
    transaction.on_commit(lambda: ran.append("before"))
    with commit_at_once():
        transaction.on_commit(lambda: ran.append("now"))
    assert ran == ["now"]


@pytest.mark.django_db
def test_only_a_robust_callback_may_fail_quietly():
    def fail():
        raise ValueError("no")

    with commit_at_once():
        transaction.on_commit(fail, robust=True)
        with pytest.raises(ValueError, match="no"):
            transaction.on_commit(fail)


@pytest.mark.django_db
def test_the_same_event_twice_spoils_no_test():
    event = {"event_type": "system.replica_joined", "timestamp": "2026-01-01T00:00:00Z"}
    with sandboxed():
        conversation = make_conversation()
        event["conversation_id"] = conversation.tavus_id
        assert [deliver_callback(conversation, event).status_code for _ in range(2)] == [200, 200]
        assert WebhookEvent.objects.get().status == "processed"


@pytest.mark.parametrize("public", ["", "https://site.example/app"])
@pytest.mark.django_db
def test_callbacks_arrive_wherever_the_site_is_mounted(public, settings):
    with (
        override_settings(TAVUS={"PUBLIC_URL": public}, SECURE_SSL_REDIRECT=True),
        sandboxed() as tavus,
    ):
        conversation = launch_conversation(persona=make_persona())
        tavus.advance(5)
        assert deliver_due(tavus)
        conversation.refresh_from_db()
        assert conversation.joined_at


def test_everything_is_taken_back():
    before = site.TAVUS, current_app.conf.task_always_eager
    with sandboxed(seed=7) as sandbox:
        assert sandbox.seed == 7
        assert (site.TAVUS["BASE_URL"], current_app.conf.task_always_eager) == (
            sandbox.base_url,
            True,
        )
    assert (site.TAVUS, current_app.conf.task_always_eager) == before

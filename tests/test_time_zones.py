"""The whole flow on a site without time zones, and in one that is far from Greenwich."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from django_tavus.models import CapacityLock, Conversation
from django_tavus.services import (
    end_conversation,
    examining,
    launch_conversation,
    metering,
    polling,
    reconciling,
    retention,
    sweeping,
    syncing,
)
from django_tavus.testing import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("use_tz", "time_zone"),
    [(False, "America/New_York"), (False, "Asia/Tokyo"), (True, "Pacific/Kiritimati")],
)
def test_a_conversation_is_launched_told_of_ended_and_pruned(
    use_tz, time_zone, settings, tavus_sandbox, worker, django_user_model
):
    settings.USE_TZ, settings.TIME_ZONE = use_tz, time_zone
    CapacityLock.objects.get_or_create(pk=1)  # the row that is asked
    if use_tz and not examining._knows_days():
        pytest.skip("NOT PROVEN HERE: this MariaDB has no time zone tables")
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": "http://testserver"}
    boss = django_user_model.objects.create_superuser("ada")
    tavus_sandbox.add_replica(replica_id="r1", replica_name="Anna")
    tavus_sandbox.add_persona(persona_id="p1", persona_name="Coach", default_replica_id="r1")
    for kind in syncing.KINDS:
        assert syncing.sync_objects(kind).is_complete
    conversation = launch_conversation(persona="p1", owner=boss)
    worker.run()
    conversation.refresh_from_db()
    assert conversation.status == "active"
    assert abs(conversation.launched_at - timezone.now()) < timedelta(seconds=5)
    tavus_sandbox.join(conversation.tavus_id)
    tavus_sandbox.say(conversation.tavus_id, "user", "Hello")
    tavus_sandbox.advance(10)
    deliver_due(tavus_sandbox)
    worker.run()
    end_conversation(conversation)
    worker.run()
    tavus_sandbox.advance(600)
    deliver_due(tavus_sandbox)
    worker.run()
    sweeping.sweep()
    reconciling.reconcile()
    polling.poll_objects()
    worker.run()
    assert syncing.sync_objects("conversations").is_complete
    conversation.refresh_from_db()
    assert conversation.status == "ended"
    assert conversation.launched_at <= conversation.joined_at <= conversation.ended_at
    assert [turn.content for turn in conversation.utterances.filter(role="user")] == ["Hello"]
    assert all(turn.spoken_at for turn in conversation.utterances.all())
    assert not conversation.events.exclude(status="processed").exists()
    assert metering.usage(("day", "persona", "owner"))[0]["conversations"] == 1
    client = Client()
    client.force_login(boss)
    detail = f"conversations/{conversation.pk}/"
    since = timezone.localdate() if use_tz else timezone.now().date()
    for path in (detail, f"{detail}transcript/", f"conversations/?created_after={since}", "usage/"):
        assert client.get(f"/tavus/api/{path}").status_code == 200
    change = f"/admin/django_tavus/conversation/{conversation.pk}/change/"
    for path in (change, "/admin/django_tavus/conversation/", conversation.get_absolute_url()):
        assert client.get(path).status_code == 200
    assert retention.prune(timezone.now() + timedelta(days=2), days=1).conversations == 1
    assert Conversation.objects.count() == 1

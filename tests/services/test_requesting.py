from __future__ import annotations

import pytest

from django_tavus.models import Conversation
from django_tavus.services import launch_conversation, launching
from django_tavus.testing import make_persona, make_replica

pytestmark = pytest.mark.django_db


def test_keys_of_any_type_below_metadata_are_told_apart():
    persona = make_persona()
    wish = {"persona": persona, "idempotency_key": "k", "metadata": {1: 2, "a": 3}}
    assert launch_conversation(**wish) == launch_conversation(**wish)


def test_documents_are_no_text():
    with pytest.raises(Exception, match="list of rows or Tavus ids"):
        launch_conversation(persona=make_persona(), documents="d8-5c-2f")


@pytest.mark.parametrize("deleted", ["persona", "replica"])
def test_what_was_deleted_while_a_launch_waits_is_not_left_out(deleted):
    asked = {"persona": make_persona(), "replica": make_replica()}
    conversation = launch_conversation(**asked)
    asked[deleted].delete()
    launching.launch(conversation.pk)
    row = Conversation.objects.get()
    assert (row.status, row.error_code) == ("failed", "tavus_rejected")
    assert deleted in row.error_message

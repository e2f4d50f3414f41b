"""The least that a callback can cost: a bare view with one raw INSERT into an equal table."""

from __future__ import annotations

import uuid

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

# The same columns, indexes and foreign keys as the table that the real view writes.
TABLE = """
CREATE TABLE floor (LIKE django_tavus_webhookevent INCLUDING ALL);
ALTER TABLE floor
  ADD FOREIGN KEY (conversation_id)
    REFERENCES django_tavus_conversation DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (document_id)
    REFERENCES django_tavus_document DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (replica_id)
    REFERENCES django_tavus_replica DEFERRABLE INITIALLY DEFERRED;
"""
INSERT = """
INSERT INTO floor (dedupe_key, source, event_type, conversation_id, payload, received_at, status,
                   attempts, error)
VALUES (%s, 'callback', 'application.transcription_ready', %s, %s, %s, 'received', 0, '')
"""


@csrf_exempt
def insert(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the body unread."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [uuid.uuid4().hex, pk, request.body.decode(), timezone.now()])
    return HttpResponse()

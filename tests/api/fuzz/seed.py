"""Migrates the database of a fuzzed site and puts something into it; prints what, as JSON."""

from __future__ import annotations

import json
from typing import Any

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("setup_demo", verbosity=0)  # also fetches the stock of the sandbox
    print(json.dumps({"sessions": sessions(), **objects()}))


def sessions() -> dict[str, str]:
    """Sign in the superuser demo and an ordinary user."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    User.objects.create_user("visitor")
    keys = {}
    for user in User.objects.all():
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        keys[user.username] = str(session.session_key)
    return keys


def objects() -> dict[str, list[str]]:
    """Make a life's worth of rows; the stock, which nobody can delete, keeps launches possible."""
    from django.contrib.auth.models import User

    from django_tavus.models import Persona, Replica, Utterance, WebhookEvent
    from django_tavus.services.launch_fields import OPEN_FIELDS
    from django_tavus.testing import make_conversation, make_document, make_persona, make_replica

    stock: Any = Persona.objects.filter(persona_type="system", default_replica__isnull=False)
    persona = stock.first()
    conversations = []
    for user in User.objects.all():
        for status in ("ended", "failed"):
            row = make_conversation(owner=user, status=status, persona=persona)
            Utterance.objects.create(conversation=row, position=0, role="user", content="Hi")
            WebhookEvent.objects.create(
                dedupe_key=f"{row.pk}", source="callback", conversation=row, payload={"a": "b"}
            )
            conversations.append(str(row.pk))
    conflicts = [{"path": "/greeting", "base": "", "ours": "Hi", "theirs": "Ho"}]
    personas = [make_persona() for _ in range(3)]
    personas += [make_persona(sync_state="failed", conflicts=conflicts) for _ in range(3)]
    documents = [make_document(crawl={"depth": 1} if n % 2 else {}) for n in range(6)]
    return {
        "open_fields": sorted(OPEN_FIELDS),
        "conversations": conversations,
        "stock_personas": [str(persona.tavus_id)],
        "stock_replicas": [
            str(one.tavus_id) for one in Replica.objects.filter(replica_type="system")
        ],
        "personas": [str(one.pk) for one in personas],
        "replicas": [str(make_replica().pk) for _ in range(6)],
        "documents": [str(one.pk) for one in documents],
    }


if __name__ == "__main__":
    main()

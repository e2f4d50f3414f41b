from __future__ import annotations

import time_machine
from django.core import signing

from django_tavus.models import Conversation, Document
from django_tavus.services import tokens


def test_a_token_names_its_object():
    conversation = Conversation()
    token = tokens.make_callback_token(conversation)
    assert tokens.read_callback_token(token) == ("conversation", conversation.pk)


def test_conversation_tokens_are_refused_after_30_days():
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        token = tokens.make_callback_token(Conversation())
    with time_machine.travel("2026-01-30T00:00:00Z", tick=False):
        assert tokens.read_callback_token(token)
    with time_machine.travel("2026-02-01T00:00:00Z", tick=False):
        assert tokens.read_callback_token(token) is None


def test_document_tokens_do_not_expire():
    with time_machine.travel("2020-01-01T00:00:00Z", tick=False):
        token = tokens.make_callback_token(Document(pk=7))
    assert tokens.read_callback_token(token) == ("document", 7)


def test_a_rotated_key_still_counts(settings):
    token = tokens.make_callback_token(Document(pk=7))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next key"
    assert tokens.read_callback_token(token) == ("document", 7)
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.read_callback_token(token) is None


def test_a_token_is_good_for_one_purpose():
    conversation = Conversation()
    leave = tokens.make_leave_token(conversation)
    assert tokens.read_leave_token(leave) == conversation.pk
    assert tokens.read_callback_token(f"conversation.{leave}") is None
    signed = signing.TimestampSigner(salt="django_tavus.callback", sep=".").sign("7")
    assert tokens.read_callback_token(f"document.{signed}") is None


def test_the_callback_url_follows_public_url_and_its_path(settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": "https://proxy.example/site/"}
    url = tokens.callback_url(Document(pk=7))
    assert url.startswith("https://proxy.example/site/tavus/callbacks/document.7.")
    assert tokens.subject_of_url(url) == ("document", 7)


def test_without_public_url_there_is_no_callback(settings):
    settings.TAVUS = {**settings.TAVUS, "PUBLIC_URL": ""}
    assert tokens.callback_url(Document(pk=7)) == ""


def test_a_foreign_url_is_nobodys():
    for url in (None, 7, "", "https://example.com/hook", "https://[bad"):
        assert tokens.subject_of_url(url) is None

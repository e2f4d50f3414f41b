from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.urls import reverse
from playwright.sync_api import Page, expect

from django_tavus.models import Conversation, Document, Persona
from tests.browser.steps import change_url, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> InMemoryStorage:
    """Where uploaded documents go."""
    storage = InMemoryStorage(base_url="/media/")
    monkeypatch.setattr(Document._meta.get_field("file"), "storage", storage)
    return storage


def choose(page: Page, field: str, name: str) -> None:
    """Search for a row in an autocomplete field, and take it."""
    page.locator(f".field-{field} .select2-selection").click()
    page.keyboard.type(name)
    page.get_by_role("option", name=name).first.click()


def test_from_an_uploaded_pdf_to_a_launch_that_uses_it(
    admin_page: Page, site: str, storage: InMemoryStorage, shoot: Any
) -> None:
    admin_page.goto(site + reverse("admin:django_tavus_document_add"))
    admin_page.get_by_label("Document name").fill("Price list")
    admin_page.get_by_label("Tags").fill("prices\nsales")
    upload = {"name": "prices.pdf", "mimeType": "application/pdf", "buffer": PDF}
    admin_page.get_by_label("File", exact=False).set_input_files(upload)
    shoot(admin_page, "admin-document-add", full_page=True)
    admin_page.get_by_role("button", name="Save", exact=True).click()
    expect(admin_page.get_by_text("was added successfully")).to_be_visible()
    document = Document.objects.get()
    assert storage.open(document.file.name).read() == PDF
    wait_for(admin_page, lambda: Document.objects.get().status == "ready", seconds=30)

    document.refresh_from_db()
    assert (document.sync_state, document.tags) == ("in_sync", ["prices", "sales"])
    assert document.remote["document_url"] == f"{site}/media/{document.file.name}"
    admin_page.goto(change_url(site, document))
    expect(admin_page.locator(".field-status_badge")).to_contain_text("ready")
    shoot(admin_page, "admin-document", full_page=True)

    admin_page.goto(site + reverse("admin:django_tavus_persona_add"))
    admin_page.get_by_label("Persona name").fill("Price coach")
    admin_page.get_by_label("System prompt").fill("You know every price.")
    choose(admin_page, "default_replica", "Anna")
    choose(admin_page, "documents", "Price list")
    admin_page.locator("#id_layers").fill('{"llm": {"api_key": "k-very-secret"}}')
    shoot(admin_page, "admin-persona-add", full_page=True)
    admin_page.get_by_role("button", name="Save and continue editing").click()
    expect(admin_page.get_by_text("was added successfully")).to_be_visible()
    assert "k-very-secret" not in admin_page.content()
    persona = Persona.objects.get(persona_name="Price coach")
    wait_for(admin_page, lambda: Persona.objects.get(pk=persona.pk).sync_state == "in_sync")
    persona.refresh_from_db()
    assert persona.remote["document_ids"] == [document.tavus_id]

    admin_page.goto(change_url(site, persona))
    shoot(admin_page, "admin-persona-edit", full_page=True)
    admin_page.get_by_role("button", name="Launch conversation").click()
    expect(admin_page.get_by_text("is being launched").first).to_be_visible()
    wait_for(admin_page, lambda: Conversation.objects.get().is_joinable)
    assert Conversation.objects.get().persona == persona

"""docs/openapi.yml is what the views say. ``python -m tests.api.test_openapi`` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

GOLDEN = Path(__file__).resolve().parents[2] / "docs" / "openapi.yml"
HEAD = "# The REST API as mounted at /tavus/. Written by `python -m tests.api.test_openapi`.\n"


def document() -> dict[str, Any]:
    """The description of our views, with nothing of a host in it."""
    from drf_spectacular.generators import SchemaGenerator

    from django_tavus import __version__

    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return {**schema, "info": {"title": "django-tavus", "version": __version__}}


def page() -> str:
    dumped = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    return HEAD + dumped


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return yaml.safe_load(GOLDEN.read_text())


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_file_is_up_to_date():
    assert GOLDEN.read_text() == page()


def test_the_description_is_the_same_each_time_it_is_served():
    assert document() == document()


def test_every_reference_leads_somewhere(schema):
    named = set(re.findall(r"#/components/schemas/(\w+)", GOLDEN.read_text()))
    assert named <= schema["components"]["schemas"].keys()


def test_no_text_is_for_our_own_eyes_only(schema):
    """Docstrings end up in the schema; their markup would be read by strangers."""
    text = GOLDEN.read_text()
    for markup in ("``", ":mod:", ":func:", ":class:", "Raises:", "drf-spectacular"):
        assert markup not in text


def test_every_refusal_has_a_shape(schema):
    for path, method, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if status.startswith("4"):
                (content,) = answer["content"].values()
                assert content["schema"]["$ref"], (path, method, status)
            if status == "429":
                assert "Retry-After" in answer["headers"]


def test_every_body_names_all_its_members(schema):
    """What is not named is refused; a generated client is to know that."""
    schemas = schema["components"]["schemas"]
    seen = set()
    for _path, _method, operation in operations(schema):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            seen |= {one["$ref"] for one in content["schema"].get("oneOf", [content["schema"]])}
    named = {ref.rsplit("/", 1)[1] for ref in seen}
    named |= {
        one["$ref"].rsplit("/", 1)[1] for name in named for one in schemas[name].get("oneOf", ())
    }
    flat = {name: schemas[name] for name in named if "properties" in schemas[name]}
    assert len(flat) >= 9
    assert all(one["additionalProperties"] is False for one in flat.values())


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    GOLDEN.write_text(page())

"""The provider's OpenAPI file, for tests: which operations there are, and what they admit.

The file is not part of this project. Where it is absent every test that asks for it is skipped,
with a reason that the summary shows; nothing passes silently.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

OPENAPI_FILE = Path(__file__).resolve().parents[2] / "shared" / "tavus-openapi.yml"
PREFIX = "/v2"

_METHODS = ("get", "post", "put", "patch", "delete")
_COMBINED = ("oneOf", "anyOf", "allOf")


@dataclass(frozen=True)
class Operation:
    """One operation of the file."""

    operation_id: str
    method: str
    path: str
    deprecated: bool
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def request_schema(self) -> dict[str, Any] | None:
        """The schema of the request body, None where there is none."""
        return _json_content(self.raw.get("requestBody", {})).get("schema")

    @property
    def request_examples(self) -> dict[str, Any]:
        """Named example bodies of the request."""
        examples = _json_content(self.raw.get("requestBody", {})).get("examples", {})
        return {name: example["value"] for name, example in examples.items()}

    @property
    def query_schemas(self) -> dict[str, dict[str, Any]]:
        """Declared query parameters and their schemas."""
        parameters = self.raw.get("parameters", [])
        return {p["name"]: p.get("schema", {}) for p in parameters if p["in"] == "query"}

    @property
    def statuses(self) -> frozenset[int]:
        """Declared status codes."""
        return frozenset(int(status) for status in self.raw["responses"])

    def response_schema(self, status: int) -> dict[str, Any] | None:
        """The schema of the response body of this status, None where there is none."""
        return _json_content(self.raw["responses"].get(str(status), {})).get("schema")


def document() -> dict[str, Any]:
    """The whole file, references resolved; skips the calling test where it is absent."""
    if not OPENAPI_FILE.exists():
        pytest.skip("the provider's OpenAPI file is absent: the contract was NOT checked")
    return _document()


def operations(*, deprecated: bool = False) -> dict[str, Operation]:
    """Operations by id; without the deprecated ones unless asked for."""
    document()
    return {
        name: operation
        for name, operation in _operations().items()
        if deprecated or not operation.deprecated
    }


def find(method: str, path: str) -> Operation | None:
    """The operation of a request; `path` with or without the `/v2` prefix."""
    full = path if path.startswith(PREFIX + "/") else PREFIX + path
    matches = [
        operation
        for operation in operations(deprecated=True).values()
        if operation.method == method.upper() and _pattern(operation.path).fullmatch(full)
    ]
    # /documents/tags is no document: the path with the fewest variables is meant
    return min(matches, key=lambda operation: operation.path.count("{"), default=None)


def request_errors(
    operation: Operation, *, query: Mapping[str, str] | None = None, body: Any = None
) -> list[str]:
    """What is wrong with a request, strictly: undeclared fields and parameters are errors."""
    return [*_query_errors(operation, query or {}), *_body_errors(operation, body)]


def response_errors(
    operation: Operation, status: int, body: Any, *, strict: bool = False
) -> list[str]:
    """What is wrong with a response; with `strict`, undeclared members are errors too."""
    if status not in operation.statuses:
        return [f"status {status} is not declared"]
    schema = operation.response_schema(status)
    if schema is None:
        return [] if body in (None, "", b"") else ["a body where none is declared"]
    return _errors(_closed(schema) if strict else schema, body)


@functools.cache
def _document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(OPENAPI_FILE.read_text(encoding="utf-8"), Loader=loader)
    return _resolved(raw, raw)


@functools.cache
def _operations() -> dict[str, Operation]:
    return {operation.operation_id: operation for operation in _all(_document()["paths"])}


def _all(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in paths.items():
        for method in _METHODS:
            if raw := item.get(method):
                yield Operation(
                    operation_id=raw["operationId"],
                    method=method.upper(),
                    path=path,
                    deprecated=bool(raw.get("deprecated")),
                    raw=raw,
                )


@functools.cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))


def _json_content(part: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = part.get("content", {}).get("application/json", {})
    return found


def _resolved(value: Any, root: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolved(item, root) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(reference := value.get("$ref"), str):
        target: Any = root
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
        return _resolved(target, root)
    return {key: _resolved(item, root) for key, item in value.items()}


def _query_errors(operation: Operation, query: Mapping[str, str]) -> list[str]:
    declared = operation.query_schemas
    unknown = [f"query parameter {name} is not declared" for name in query if name not in declared]
    wrong = [
        f"query parameter {name}: {error}"
        for name, text in query.items()
        for error in _errors(declared.get(name, {}), _typed(text, declared.get(name, {})))
    ]
    return unknown + wrong


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """A query text as the type its schema declares, the text itself where it is none."""
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def _body_errors(operation: Operation, body: Any) -> list[str]:
    schema = operation.request_schema
    if schema is None:
        return [] if body is None else ["a body where none is declared"]
    required = bool(operation.raw["requestBody"].get("required"))
    if body is None:
        return ["the body is missing"] if required else []
    return _errors(_closed(schema), body)


def _errors(schema: Mapping[str, Any], body: Any) -> list[str]:
    found = OAS30Validator(schema).iter_errors(body)
    return [
        f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message}" for error in found
    ]


def _closed(schema: Any) -> Any:
    """The schema with every object closed: what it does not declare is an error.

    An object may be described in part at its own level and in part by the branches of `oneOf`;
    it is closed over the names of both.
    """
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed_member(key, value) for key, value in schema.items()}
    names: dict[str, Any] = {name: {} for name in _names(schema)}
    if names and "additionalProperties" not in schema:
        closed["properties"] = names | closed.get("properties", {})
        closed["additionalProperties"] = False
    return closed


def _closed_member(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _closed(item) for name, item in value.items()}
    if key in _COMBINED:
        return [_open_branch(branch) for branch in value]
    return _closed(value) if key in ("items", "additionalProperties") else value


def _open_branch(branch: Mapping[str, Any]) -> dict[str, Any]:
    """A branch itself stays open, its members are closed: the level above closes for all."""
    return {key: _closed_member(key, value) for key, value in branch.items()}


def _names(schema: Mapping[str, Any]) -> set[str]:
    branches = (branch for key in _COMBINED for branch in schema.get(key, []))
    return set(schema.get("properties", {})).union(*(_names(branch) for branch in branches))

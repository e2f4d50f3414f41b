"""Patches of personas: as small as they can be, with the secrets that they must carry.

Tavus may drop the key of a layer that is patched without it (reported by users), so every secret
of a touched layer goes along. What stands at Tavus is compared masked, and filled in at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from django_tavus.client import MASK, diff
from django_tavus.client.patches import Operation
from django_tavus.services import merging, secrets

LAYERS = "/layers"
CONFERENCING = "/layers/conferencing"
EMPTIED = {"default_replica_id", "objectives_id"}
"""Members that are taken away when they are emptied; the others become an empty text or list."""


@dataclass
class Keys:
    """The secrets of a persona's layers, by pointer below ``/layers``."""

    values: dict[str, str]
    """Those entered here."""
    unsent: list[str]
    """Of these, those that Tavus does not know yet."""
    echoed: Mapping[str, Any]
    """The layers as a GET shows them, perhaps with secrets in clear."""

    def known(self) -> dict[str, str]:
        """Return what is to be sent: Tavus's own copy is newer, unless ours is on its way."""
        echoed = {
            path: value
            for path, value in secrets.entered(self.echoed).items()
            if not _looks_masked(value)
        }
        fresh = {path: self.values[path] for path in self.unsent if path in self.values}
        return {**self.values, **echoed, **fresh}


def _looks_masked(value: str) -> bool:
    """Whether Tavus shows a part of a key: sent back, that part would replace the key."""
    return "**" in value or "..." in value or "•" in value or "…" in value


def target(
    kept: Mapping[str, Any], theirs: Mapping[str, Any], merged: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body that Tavus is to have: ``kept``, changed where ``merged`` differs."""
    body = dict(kept)
    for name in theirs.keys() | merged.keys():
        old, new = theirs.get(name), merged.get(name)
        if merging.alike(old, new):
            continue
        if isinstance(kept.get(name), Mapping) and isinstance(new, Mapping | None):
            body[name] = merging.graft(kept[name], new or {})
        elif not merging.is_empty(new):
            body[name] = new
        elif name in EMPTIED:
            body.pop(name, None)
        else:
            body[name] = "" if isinstance(old, str) else []
    return body


def patches(
    kept: Mapping[str, Any], wanted: Mapping[str, Any], keys: Keys
) -> Iterator[list[Operation]]:
    """Yield the JSON Patches that turn ``kept`` into ``wanted``, none if there is nothing to do.

    Raises:
        ValidationError: a masked text would have to be sent that is not known here.
    """
    operations = diff(kept, wanted)
    layers = wanted.get("layers")
    layers = layers if isinstance(layers, Mapping) else {}
    unsent = [path for path in keys.unsent if _holds_mask(layers, path)]
    touched = {_layer(operation["path"]) for operation in operations}
    touched |= {merging.names(path)[0] for path in unsent}
    if touched - {""}:
        operations = _with_secrets(operations, layers, touched, keys.known())
    # Tavus refuses a patch that mixes the conferencing layer with anything else.
    apart = [op for op in operations if op["path"].startswith(CONFERENCING)]
    for group in ([op for op in operations if op not in apart], apart):
        if group:
            yield group


def _layer(path: str) -> str:
    steps = merging.names(path)
    return steps[1] if len(steps) > 1 and steps[0] == "layers" else ""


def _holds_mask(layers: Mapping[str, Any], path: str) -> bool:
    value = merging.member(layers, path)
    return isinstance(value, str) and MASK in value


def _with_secrets(
    operations: list[Operation],
    layers: Mapping[str, Any],
    touched: set[str],
    known: Mapping[str, str],
) -> list[Operation]:
    filled = [_filled(operation, known) for operation in operations]
    for operation in filled:
        check_no_mask(operation)
    covered = [op["path"] for op in operations if op["path"].startswith(LAYERS)]
    whole = LAYERS in covered
    for path in secrets.masked_paths(layers):
        full = LAYERS + path
        carried = whole or any(full == one or full.startswith(f"{one}/") for one in covered)
        if path in known and not carried and merging.names(path)[0] in touched:
            filled.append({"op": _set(layers, path), "path": full, "value": known[path]})
    return filled


def _filled(operation: Operation, known: Mapping[str, str]) -> Operation:
    if "value" not in operation or not operation["path"].startswith(LAYERS):
        return operation
    path = operation["path"].removeprefix(LAYERS)
    return {**operation, "value": secrets.fill(operation["value"], path, known)}


def _set(layers: Mapping[str, Any], path: str) -> str:
    """Adding to a list would insert."""
    parent = merging.member(layers, path.rpartition("/")[0])
    return "replace" if isinstance(parent, list) else "add"


def check_no_mask(operation: Mapping[str, Any]) -> None:
    """Refuse to send asterisks in place of a secret.

    Raises:
        ValidationError: naming the member.
    """
    for name, value in operation.items():
        if name not in ("op", "path") and (paths := _masks(value)):
            where = operation.get("path", "") or name
            message = _("%(path)s holds a secret that is not known here: enter it again.")
            raise ValidationError(message % {"path": f"{where}{paths[0]}"}, code="masked")


def _masks(value: Any) -> list[str]:
    if isinstance(value, str):
        return [""] if MASK in value else []
    return secrets.masked_paths(value)

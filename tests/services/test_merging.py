from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from django_tavus.client import diff
from django_tavus.models import Persona
from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.engine.patching import apply_patch
from django_tavus.services import merging, publishing, pushing, syncing
from django_tavus.services.editable import PERSONA

names = st.sampled_from(["a", "b", "c/d", "~e"])
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "x", "y"]), st.just([])
)
versions = st.recursive(
    st.dictionaries(names, leaves, max_size=4),
    lambda inner: st.dictionaries(names, st.one_of(leaves, inner), max_size=4),
    max_leaves=8,
)


def flat(version: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(version, dict):
        found: dict[tuple[str, ...], Any] = {}
        for name, value in version.items():
            found |= flat(value, (*path, name))
        return found
    return {} if merging.is_empty(version) else {path: version}


@given(versions, versions, versions)
def test_nothing_is_lost_and_nothing_is_made_up(base, ours, theirs):
    outcome = merging.merge(base, ours, theirs)
    if outcome.conflicts:
        return
    old, mine, other, merged = map(flat, (base, ours, theirs, outcome.merged))
    for path, value in merged.items():
        assert any(merging.same(value, side.get(path)) for side in (mine, other))
    for side, against in ((mine, other), (other, mine)):
        for path, value in side.items():
            changed = not merging.same(value, old.get(path))
            if changed and not merging.same(against.get(path), value):
                assert merging.same(merged.get(path), value), path


@given(versions, versions)
def test_one_sided_changes_never_conflict(base, ours):
    for outcome in (merging.merge(base, ours, base), merging.merge(base, base, ours)):
        assert not outcome.conflicts
        assert merging.alike(outcome.merged, ours)


@given(versions, versions)
def test_a_graft_is_what_was_wanted_and_patches_no_more_than_that(theirs, merged):
    grafted = merging.graft(theirs, merged)
    assert merging.alike(grafted, merged)
    patch = diff(theirs, grafted)
    assert apply_patch(theirs, patch) == grafted
    for skipped in range(len(patch)):
        rest = patch[:skipped] + patch[skipped + 1 :]
        assert not merging.same(apply_patch(theirs, rest), grafted)


@given(versions, versions, versions)
def test_taking_their_side_of_every_conflict_ends_it(base, ours, theirs):
    outcome = merging.merge(base, ours, theirs)
    for conflict in outcome.conflicts:
        base = merging.put(base, conflict.path, conflict.theirs)
        ours = merging.put(ours, conflict.path, conflict.theirs)
    assert not merging.merge(base, ours, theirs).conflicts


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_missing_null_and_empty_are_the_same(empty):
    assert merging.alike({"a": empty}, {})
    assert not merging.merge({"a": empty}, {}, {"a": empty}).conflicts


def test_true_is_not_one():
    assert not merging.alike({"a": True}, {"a": 1})
    assert merging.merge({"a": 1}, {"a": True}, {"a": 2}).conflicts


# --- the whole round ----------------------------------------------------------------------------

TEXTS = st.sampled_from(["", "one", "two", "three"])
EDITS = st.fixed_dictionaries(
    {},
    optional={
        "persona_name": TEXTS,
        "greeting": TEXTS,
        "context": TEXTS,
        "document_tags": st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2),
        "layers": st.dictionaries(
            st.sampled_from(["stt", "perception"]),
            st.dictionaries(
                st.sampled_from(["hotwords", "tool_prompt"]), TEXTS.filter(bool), max_size=2
            ),
            max_size=2,
        ).map(
            lambda layers: {
                name: {
                    key: value
                    for key, value in layer.items()
                    if (key == "hotwords") == (name == "stt")
                }
                for name, layer in layers.items()
            }
        ),
    },
)
STEPS = st.lists(st.tuples(st.sampled_from(["ours", "theirs", "push", "pull"]), EDITS), max_size=8)


def flatten(body: Any) -> dict[tuple[str, ...], Any]:
    return flat({name: body.get(name) for name in (*PERSONA.columns,)})


@pytest.mark.django_db
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, keep=st.sampled_from(["ours", "theirs"]))
def test_any_sequence_of_edits_ends_in_sync_or_in_a_shown_conflict(
    steps, keep, tavus_sandbox: Sandbox, worker
):
    tavus_sandbox.reset()
    Persona.objects.all().delete()
    tavus_sandbox.add_persona(persona_id="p1", persona_name="one", system_prompt="prompt")
    syncing.sync_objects("personas")
    row = Persona.objects.get(tavus_id="p1")
    body = tavus_sandbox.engine.personas["p1"].body
    for step, edit in steps:
        if step == "ours":
            row.refresh_from_db()
            publishing.edit(row, **copy.deepcopy(edit))
        elif step == "theirs":
            body = tavus_sandbox.engine.personas["p1"].body
            body |= copy.deepcopy(edit)
        elif step == "pull":
            syncing.sync_objects("personas")
        else:
            _push(tavus_sandbox, row)
    worker.messages.clear()
    syncing.sync_objects("personas")
    # Tavus may have moved on since the conflict was shown: that is shown again.
    for _ in range(2):
        if _push(tavus_sandbox, row) == "failed":
            _resolve(tavus_sandbox, row, keep)
    assert row.sync_state == "in_sync"
    assert merging.alike(
        PERSONA.of_row(row), PERSONA.of_body(tavus_sandbox.engine.personas["p1"].body)
    )


def _resolve(sandbox: Sandbox, row: Persona, keep: str) -> None:
    """Settle a conflict; what the chosen side says by now is what both sides then have."""
    conflicts = row.conflicts
    theirs = PERSONA.of_body(sandbox.engine.personas["p1"].body)
    publishing.resolve(row, keep)
    if _push(sandbox, row) == "failed":  # Tavus had changed since: another version, or member
        assert row.conflicts != conflicts
        _resolve(sandbox, row, keep)
        return
    after = sandbox.engine.personas["p1"].body
    for conflict in conflicts:
        path = conflict["path"]
        chosen = conflict["ours"] if keep == "ours" else merging.member(theirs, path)
        assert merging.alike(merging.member(after, path), chosen)


def _push(sandbox: Sandbox, row: Persona) -> str:
    """Push, and check what it did: a patch of our edits alone, or nothing and a shown conflict."""
    row.refresh_from_db()
    base, ours = PERSONA.of_body(row.remote), PERSONA.of_row(row)
    before = PERSONA.of_body(sandbox.engine.personas["p1"].body)
    owed = row.push_due_at is not None
    sandbox.requests.clear()
    pushing.push("persona", row.pk)
    row.refresh_from_db()
    after = PERSONA.of_body(sandbox.engine.personas["p1"].body)
    patches = [request.body for request in sandbox.requests if request.method == "PATCH"]
    if row.sync_state == "failed":
        assert row.conflicts
        assert not patches
        assert all(conflict["path"] in row.sync_error for conflict in row.conflicts) or not owed
        assert PERSONA.of_row(row) == ours
    elif owed:
        assert row.sync_state == "in_sync"
        for path in {*flat(before), *flat(after)}:
            changed = not merging.same(flat(before).get(path), flat(after).get(path))
            if changed:  # by us, and only where we had an edit
                assert merging.same(flat(after).get(path), flat(ours).get(path))
                assert not merging.same(flat(base).get(path), flat(ours).get(path))
        assert bool(patches) is not merging.alike(before, after)
    else:
        assert not patches
    return row.sync_state

"""The provider's own command line against the sandbox, unmodified.

It is not installed with this project: put `tavus-cli` into an environment of its own and name
its executable in ``TAVUS_CLI``, or have it on the PATH or in ``.venv-cli``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_tavus.sandbox import Sandbox
from django_tavus.sandbox.server import SandboxServer

pytestmark = pytest.mark.services

LOCAL = Path(__file__).resolve().parents[2] / ".venv-cli" / "bin" / "tavus"
OBJECTIVES = {"name": "Steps", "data": [{"objective_name": "ask", "objective_prompt": "Ask."}]}
TOOL = {
    "name": "book",
    "description": "Books a table.",
    "parameters": {"type": "object", "properties": {"when": {"type": "string"}}},
    "delivery": {"app_message": True},
}
RULES = [{"text": "Tavus", "pronunciation": "TAH-vus", "type": "alias"}]

Run = Callable[..., Any]


def executable() -> str:
    """The command, or a skip that says that nothing was proved."""
    found = os.environ.get("TAVUS_CLI") or shutil.which("tavus") or str(LOCAL)
    if not Path(found).exists():
        pytest.skip(
            "the provider's command line is not installed: the sandbox was NOT proved with it "
            "(pip install tavus-cli into an environment of its own, set TAVUS_CLI)"
        )
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(seed=1)
    with SandboxServer(sandbox):
        yield sandbox


@pytest.fixture(scope="module")
def run(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs one command; returns the JSON that it prints. Files are written for the caller."""
    command, home = executable(), tmp_path_factory.mktemp("home")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TAVUS_API_KEY": "any key will do",
        "TAVUS_PUBLIC_API_BASE_URL": sandbox.base_url,
        "TAVUS_PORTAL_API_BASE_URL": f"{sandbox.origin}/nothing-is-here",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }

    def call(*words: str, file: Any = None, ok: bool = True) -> Any:
        if file is not None:
            path = home / "body.json"
            path.write_text(json.dumps(file))
            words = (*words, "--file", str(path))
        done = subprocess.run(
            [command, *words],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode == 0) is ok, f"tavus {' '.join(words)}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if ok else done.stdout + done.stderr

    return call


def pals(run: Run, sandbox: Sandbox) -> Iterator[str]:
    created = run(
        *("pal", "create", "--name", "Coach", "--system-prompt", "You coach."),
        *("--face-id", "r90bbd427f71"),
    )
    pal_id = created["pal_id"]
    yield "pal create"
    assert run("pal", "get", pal_id)["pal_name"] == "Coach"
    yield "pal get"
    rows = run("pal", "list", "--pal-type", "user", "--json")["data"]
    assert [row["pal_id"] for row in rows] == [pal_id]
    yield "pal list"
    run("pal", "patch", pal_id, "--path", "/pal_name", "--value", "Trainer")
    assert sandbox.engine.personas[pal_id].name == "Trainer"
    yield "pal patch"
    assert run("pal", "skills", "attach", pal_id, "presentation")["skill_id"] == "presentation"
    yield "pal skills attach"
    assert "presentation" in run("pal", "skills", "list", pal_id)["skills"]
    yield "pal skills list"
    run("pal", "skills", "detach", pal_id, "presentation")
    yield "pal skills detach"
    run("pal", "delete", pal_id)
    assert pal_id not in sandbox.engine.personas
    yield "pal delete"


def faces(run: Run, sandbox: Sandbox) -> Iterator[str]:
    assert len(run("face", "list", "--stock", "--json")["data"]) == len(sandbox.engine.replicas)
    yield "face list"


def conversations(run: Run, sandbox: Sandbox) -> Iterator[str]:
    created = run("conversation", "create", "--pal-id", "pcb7a34da5fe", "--name", "A call")
    conversation = sandbox.conversation(created["conversation_id"])
    assert conversation.conversation_name == "A call"
    yield "conversation create"
    run("conversation", "end", conversation.id)
    assert not conversation.is_active
    yield "conversation end"
    assert "400" in run("conversation", "end", conversation.id, ok=False)


def documents(run: Run, sandbox: Sandbox) -> Iterator[str]:
    created = run(
        *("document", "create", "--url", "https://docs.example.com/", "--name", "Docs"),
        *("--tag", "website", "--crawl-depth", "2", "--crawl-max-pages", "5"),
    )
    document_id = created["document_id"]
    yield "document create"
    sandbox.advance(10)
    assert run("document", "get", document_id)["status"] == "ready"
    yield "document get"
    rows = run("document", "list", "--json")["data"]
    assert {row["document_id"] for row in rows} == set(sandbox.engine.documents)
    yield "document list"
    assert run("document", "tags")["tags"] == ["docs", "handbook", "website"]
    yield "document tags"
    assert run("document", "recrawl", document_id)["status"] == "recrawling"
    yield "document recrawl"
    assert run("document", "chunks", "d8-5c71baca86fc")["chunks"]
    yield "document chunks"


def objectives(run: Run, sandbox: Sandbox) -> Iterator[str]:
    assert run("objective", "validate", file=OBJECTIVES) == {"valid": True}
    yield "objective validate"
    objectives_id = run("objective", "create", file=OBJECTIVES)["objectives_id"]
    yield "objective create"
    assert run("objective", "get", objectives_id)["data"][0]["objective_name"] == "ask"
    yield "objective get"
    rows = run("objective", "list", "--json")["data"]
    assert [row["objectives_id"] for row in rows] == [objectives_id]
    yield "objective list"
    rename = [{"op": "replace", "path": "/data/0/objective_name", "value": "tell"}]
    run("objective", "patch", objectives_id, file=rename)
    assert sandbox.engine.objectives[objectives_id].body["data"][0]["objective_name"] == "tell"
    yield "objective patch"
    run("objective", "delete", objectives_id)
    assert objectives_id not in sandbox.engine.objectives
    yield "objective delete"


def guardrails(run: Run, sandbox: Sandbox) -> Iterator[str]:
    created = run(
        "guardrail", "create", "--name", "polite", "--prompt", "Be polite.", "--tag", "tone"
    )
    uuid = created["uuid"]
    yield "guardrail create"
    assert run("guardrail", "get", uuid)["guardrail_name"] == "polite"
    yield "guardrail get"
    assert [row["uuid"] for row in run("guardrail", "list", "--json")["data"]] == [uuid]
    yield "guardrail list"
    assert run("guardrail", "tags") == {"tags": ["tone"], "total_count": 1}
    yield "guardrail tags"
    run("guardrail", "patch", uuid, "--prompt", "Be kind.")
    assert sandbox.engine.guardrails[uuid].body["guardrail_prompt"] == "Be kind."
    yield "guardrail patch"
    run("guardrail", "delete", uuid)
    assert uuid not in sandbox.engine.guardrails
    yield "guardrail delete"


def dictionaries(run: Run, sandbox: Sandbox) -> Iterator[str]:
    body = {"name": "Terms", "rules": RULES}
    created = run("pronunciation-dictionary", "create", file=body)
    dictionary_id = created["pronunciation_dictionary_id"]
    yield "pronunciation-dictionary create"
    assert run("pronunciation-dictionary", "get", dictionary_id)["rules_count"] == 1
    yield "pronunciation-dictionary get"
    run("pronunciation-dictionary", "patch", dictionary_id, file={"name": "Words"})
    assert sandbox.engine.dictionaries[dictionary_id].body["name"] == "Words"
    yield "pronunciation-dictionary patch"
    run("pronunciation-dictionary", "delete", dictionary_id)
    assert dictionary_id not in sandbox.engine.dictionaries
    yield "pronunciation-dictionary delete"


def tools(run: Run, sandbox: Sandbox) -> Iterator[str]:
    tool_id = run("tool", "create", file=TOOL)["tool_id"]
    yield "tool create"
    assert run("tool", "get", tool_id)["name"] == "book"
    yield "tool get"
    assert [row["tool_id"] for row in run("tool", "list", "--json")["data"]] == [tool_id]
    yield "tool list"
    run("pal", "tools", "attach", "pcb7a34da5fe", tool_id)
    assert sandbox.engine.personas["pcb7a34da5fe"].tools == [tool_id]
    yield "pal tools attach"
    run("tool", "delete", tool_id)
    assert sandbox.engine.personas["pcb7a34da5fe"].tools == []
    yield "tool delete"


def others(run: Run, sandbox: Sandbox) -> Iterator[str]:
    assert run("resource", "list", "voices")["total_count"] == 12
    yield "resource list voices"
    assert [row["skill_id"] for row in run("skill", "list", "--json")["data"]]
    yield "skill list"


GROUPS: dict[Callable[[Run, Sandbox], Iterator[str]], int] = {
    # group: how many of its commands have to succeed
    pals: 8,
    faces: 1,
    conversations: 2,
    documents: 6,
    objectives: 6,
    guardrails: 6,
    dictionaries: 4,
    tools: 5,
    others: 2,
}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_commands_succeed(
    run: Run,
    sandbox: Sandbox,
    group: Callable[[Run, Sandbox], Iterator[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    succeeded = list(group(run, sandbox))
    with capsys.disabled():
        sys.stdout.write(f"\n{len(succeeded)} commands of the provider: {succeeded}\n")
    assert len(succeeded) == GROUPS[group]

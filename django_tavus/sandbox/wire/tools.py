"""``/tools``, ``/skills``, and what of both a persona has."""

from __future__ import annotations

from typing import Any

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.engine.personas import Persona
from django_tavus.sandbox.engine.refusals import not_found
from django_tavus.sandbox.engine.tools import SKILLS
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, Call, Reply, Route


def create(call: Call) -> Reply:
    """POST /tools."""
    tools = call.engine.tools
    return Reply(tools.detail(tools.create(call.body)))


def list_all(call: Call) -> Reply:
    """GET /tools."""
    query, tools = call.query, call.engine.tools
    rows = tools.select(
        owner=query.choice("type", ("user", "system", "all")) or "user",
        name=query.text("name_or_uuid"),
        descending=query.descending(),
    )
    page, envelope = cut_page("tools", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [tools.detail(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /tools/{id}: secrets masked."""
    tools = call.engine.tools
    return Reply(tools.detail(tools.find(call["id"])))


def patch(call: Call) -> Reply:
    """PATCH /tools/{id}: plain JSON, merged."""
    tools = call.engine.tools
    stored = tools.find(call["id"])
    tools.change(stored, call.body)
    return Reply(tools.detail(stored))


def delete(call: Call) -> Reply:
    """DELETE /tools/{id}."""
    tools = call.engine.tools
    tools.delete(tools.find(call["id"]))
    return NO_CONTENT


def list_attached(call: Call) -> Reply:
    """GET /pals/{id}/tools."""
    tools = call.engine.tools
    return Reply({"data": [tools.detail(tools[tool_id]) for tool_id in _persona(call).tools]})


def attach(call: Call) -> Reply:
    """POST /pals/{id}/tools."""
    call.engine.tools.attach(_persona(call), call.body["tool_ids"])
    return list_attached(call)


def detach(call: Call) -> Reply:
    """DELETE /pals/{id}/tools/{tool_id}."""
    call.engine.tools.detach(_persona(call), call["tool_id"])
    return NO_CONTENT


def list_registry(call: Call) -> Reply:
    """GET /skills."""
    data = [call.engine.tools.skill(skill_id) for skill_id in SKILLS]
    return Reply({"data": data, "total_count": len(data)})


def get_registered(call: Call) -> Reply:
    """GET /skills/{id}."""
    return Reply(call.engine.tools.skill(call["skill_id"]))


def list_skills(call: Call) -> Reply:
    """GET /pals/{id}/skills."""
    return Reply({"skills": _persona(call).skills})


def replace_skills(call: Call) -> Reply:
    """PUT /pals/{id}/skills: all of them at once."""
    skills = {skill_id: config or {} for skill_id, config in call.body["skills"].items()}
    for skill_id in skills:
        call.engine.tools.skill(skill_id)
    _persona(call).skills = {name: {"config": config} for name, config in skills.items()}
    return list_skills(call)


def get_skill(call: Call) -> Reply:
    """GET /pals/{id}/skills/{skill_id}."""
    return Reply({"skill_id": call["skill_id"], **_attached_skill(call)})


def put_skill(call: Call) -> Reply:
    """PUT /pals/{id}/skills/{skill_id}: attach, or replace the configuration."""
    call.engine.tools.skill(call["skill_id"])
    _persona(call).skills[call["skill_id"]] = {"config": call.body.get("config") or {}}
    return get_skill(call)


def patch_skill(call: Call) -> Reply:
    """PATCH /pals/{id}/skills/{skill_id}: merge into the configuration."""
    _attached_skill(call)["config"] |= call.body.get("config") or {}
    return get_skill(call)


def delete_skill(call: Call) -> Reply:
    """DELETE /pals/{id}/skills/{skill_id}."""
    _attached_skill(call)
    del _persona(call).skills[call["skill_id"]]
    return NO_CONTENT


def _persona(call: Call) -> Persona:
    return call.engine.personas.find(call["id"])


def _attached_skill(call: Call) -> dict[str, Any]:
    skills = _persona(call).skills
    if call["skill_id"] not in skills:
        raise not_found("Skill")
    return skills[call["skill_id"]]


def _persona_routes(prefix: str) -> tuple[Route, ...]:
    tools, skills = f"{prefix}/<id>/tools", f"{prefix}/<id>/skills"
    skill = f"{skills}/<skill_id>"
    return (
        Route("GET", tools, list_attached),
        Route("POST", tools, attach, bodies.TOOL_IDS),
        Route("DELETE", f"{tools}/<tool_id>", detach),
        Route("GET", skills, list_skills),
        Route("PUT", skills, replace_skills, bodies.SKILLS),
        Route("GET", skill, get_skill),
        Route("PUT", skill, put_skill, bodies.SKILL),
        Route("PATCH", skill, patch_skill, bodies.SKILL),
        Route("DELETE", skill, delete_skill),
    )


ROUTES = (
    Route("POST", "/tools", create, bodies.TOOL),
    Route("GET", "/tools", list_all),
    Route("GET", "/tools/<id>", get),
    Route("PATCH", "/tools/<id>", patch, bodies.TOOL_CHANGES),
    Route("DELETE", "/tools/<id>", delete),
    Route("GET", "/skills", list_registry),
    Route("GET", "/skills/<skill_id>", get_registered),
    *_persona_routes("/personas"),
    *_persona_routes("/pals"),
)

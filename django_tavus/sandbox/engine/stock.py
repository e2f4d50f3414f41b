"""What is in a new account: a few stock personas and replicas, and one document."""

from __future__ import annotations

from typing import Any

# Ids that the provider's docs use in their examples, so that these can be tried unchanged.
REPLICAS: tuple[dict[str, Any], ...] = (
    {"replica_id": "r90bbd427f71", "replica_name": "Anna"},
    {"replica_id": "rf4e9d9790f0", "replica_name": "Benjamin"},
    {"replica_id": "r4067604db72", "replica_name": "Carla", "model_name": "phoenix-4.5"},
    {"replica_id": "r79e1c033f", "replica_name": "Daniel", "model_name": "phoenix-3"},
)

PERSONAS: tuple[dict[str, Any], ...] = (
    {
        "persona_id": "pb87e71797da",
        "persona_name": "Tavus Assistant",
        "system_prompt": "You are a friendly assistant who answers in short sentences.",
        "default_replica_id": "r4067604db72",
    },
    {
        "persona_id": "pcb7a34da5fe",
        "persona_name": "Sales Coach",
        "system_prompt": "You are a sales coach. You play a customer and give feedback afterwards.",
        "greeting": "Hello! Ready to practice your pitch on me?",
        "default_replica_id": "r90bbd427f71",
    },
    {
        "persona_id": "p5d11710002a",
        "persona_name": "Interviewer",
        "system_prompt": "You lead structured job interviews: one question at a time, politely.",
        "greeting": "Welcome to your interview. Shall we begin?",
        "default_replica_id": "rf4e9d9790f0",
    },
    {
        # A launch of this one has to name a replica.
        "persona_id": "p9a95912",
        "persona_name": "Life Coach (no default replica)",
        "system_prompt": "As a life coach you listen more than you speak.",
    },
)

DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "document_id": "d8-5c71baca86fc",
        "document_name": "Example Docs",
        "document_url": "https://docs.example.com/handbook.pdf",
        "tags": ["docs", "handbook"],
    },
)

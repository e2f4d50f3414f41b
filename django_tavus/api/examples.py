"""Requests and answers of the API as the schema shows them.

Plain data: by operation, then by ``request``, status, or status and media type, then by name. An
answer that is a page is given as one of its rows.
"""

from __future__ import annotations

from typing import Any

LAUNCH = {
    "persona_id": "p5e1b9a04c37",
    "conversation_name": "Interview with Sam",
    "reference": "lead:42",
    "metadata": {"campaign": "spring"},
    "properties": {"language": "spanish"},
}
QUEUED: dict[str, Any] = {
    "id": "0b6c8f7e-2f0a-4b1e-9c55-3d7d0a9f6a11",
    "conversation_id": None,
    "conversation_name": "Interview with Sam",
    "status": "queued",
    "conversation_url": None,
    "meeting_token": None,
    "persona_id": "p5e1b9a04c37",
    "replica_id": "r9fa0878977a",
    "audio_only": False,
    "test_mode": False,
    "require_auth": False,
    "max_participants": None,
    "conversational_context": "",
    "custom_greeting": "",
    "memory_stores": [],
    "document_ids": [],
    "document_tags": [],
    "document_retrieval_strategy": None,
    "properties": {"language": "spanish"},
    "reference": "lead:42",
    "metadata": {"campaign": "spring"},
    "queue_position": 1,
    "created_at": "2026-05-01T12:00:00Z",
    "launched_at": None,
    "joined_at": None,
    "ended_at": None,
    "shutdown_reason": None,
    "duration": None,
    "error": None,
}
ACTIVE = {
    **QUEUED,
    "conversation_id": "c41f6d7aa9be",
    "status": "active",
    "conversation_url": "https://tavus.daily.co/c41f6d7aa9be",
    "queue_position": None,
    "launched_at": "2026-05-01T12:00:01Z",
    "joined_at": "2026-05-01T12:00:04Z",
}
ENDED = {
    **ACTIVE,
    "status": "ended",
    "conversation_url": None,
    "ended_at": "2026-05-01T12:10:01Z",
    "shutdown_reason": "participant_left_timeout",
    "duration": 600,
}
FAILED = {
    **QUEUED,
    "status": "failed",
    "queue_position": None,
    "error": {"code": "out_of_credits", "message": "The account is out of credits."},
}
TRANSCRIPT = {
    "id": ENDED["id"],
    "conversation_id": ENDED["conversation_id"],
    "status": "ended",
    "transcript": [
        {
            "position": 0,
            "role": "replica",
            "content": "Welcome, Sam. Shall we begin?",
            "spoken_at": "2026-05-01T12:00:05Z",
            "seconds_from_start": 4.0,
            "duration": 2.5,
        },
        {
            "position": 1,
            "role": "user",
            "content": "Yes, please.",
            "spoken_at": None,
            "seconds_from_start": None,
            "duration": None,
        },
    ],
}
TRANSCRIPT_TEXT = "[00:00:04] replica: Welcome, Sam. Shall we begin?\nuser: Yes, please.\n"
TRANSCRIPT_VTT = (
    "WEBVTT\n\n"
    "1\n00:00:04.000 --> 00:00:06.500\n<v replica>Welcome, Sam. Shall we begin?\n\n"
    "2\n00:00:06.500 --> 00:00:07.500\n<v user>Yes, please.\n"
)
EVENT = {
    "id": 7,
    "source": "callback",
    "event_type": "system.replica_joined",
    "payload": {
        "conversation_id": "c41f6d7aa9be",
        "event_type": "system.replica_joined",
        "message_type": "system",
        "properties": {"replica_id": "r9fa0878977a"},
        "timestamp": "2026-05-01T12:00:04Z",
    },
    "received_at": "2026-05-01T12:00:04.250000Z",
    "status": "processed",
    "attempts": 1,
    "processed_at": "2026-05-01T12:00:04.500000Z",
    "error": "",
}

PREVIEW = {
    "id": 3,
    "replica_id": "r9fa0878977a",
    "replica_name": "Anna",
    "status": "ready",
    "thumbnail_video_url": "https://cdn.example/anna.mp4",
}
GALLERY_PERSONA = {
    "id": 5,
    "persona_id": "p5e1b9a04c37",
    "persona_name": "Interview coach",
    "persona_type": "user",
    "default_replica_id": "r9fa0878977a",
    "default_replica": PREVIEW,
}
SYNCED = {
    "sync_state": "in_sync",
    "sync_error": "",
    "conflicts": [],
    "synced_at": "2026-05-01T12:00:00Z",
    "created_at": "2026-04-30T09:00:00Z",
    "updated_at": "2026-05-01T12:00:00Z",
}
PENDING = {"sync_state": "pending"}
PERSONA = {
    **GALLERY_PERSONA,
    **SYNCED,
    "system_prompt": "You are an interview coach. Ask one question at a time.",
    "context": "",
    "greeting": "Welcome. Shall we begin?",
    "pipeline_mode": "full",
    "document_ids": ["d8-2c1f90ab4e6d"],
    "document_tags": [],
    "layers": {"llm": {"model": "tavus-gpt-oss", "speculative_inference": True}},
    "objectives_id": "",
    "guardrail_ids": [],
}
CONFLICTING_PERSONA = {
    **PERSONA,
    "sync_state": "failed",
    "sync_error": "Changed here and at Tavus: /greeting.",
    "conflicts": [
        {
            "path": "/greeting",
            "base": "Hello.",
            "ours": "Welcome. Shall we begin?",
            "theirs": "Good morning.",
        }
    ],
}
NEW_PERSONA = {
    "persona_name": "Interview coach",
    "system_prompt": "You are an interview coach. Ask one question at a time.",
    "default_replica_id": "r9fa0878977a",
    "document_ids": ["d8-2c1f90ab4e6d"],
}
GALLERY_REPLICA = {**PREVIEW, "replica_type": "user"}
REPLICA = {
    **GALLERY_REPLICA,
    **SYNCED,
    "training_progress": 100,
    "model_name": "phoenix-4",
    "train_video_url": "https://media.example/anna-training.mp4",
    "train_image_url": "",
    "voice_name": "",
    "consent_video_url": "",
    "error_message": "",
}
DOCUMENT = {
    "id": 2,
    "document_id": "d8-2c1f90ab4e6d",
    "document_name": "Price list",
    **SYNCED,
    "document_url": "https://www.example.com/prices/",
    "tags": ["prices"],
    "crawl": {"depth": 2, "max_pages": 20},
    "status": "ready",
    "progress": 100,
    "error_message": "",
    "last_crawled_at": "2026-05-01T11:00:00Z",
}
USAGE = {
    "by": ["day", "persona"],
    "results": [
        {
            "day": "2026-05-01",
            "persona_id": "p5e1b9a04c37",
            "persona_name": "Interview coach",
            "conversations": 2,
            "minutes": 12.5,
        }
    ],
}
USAGE_CSV = (
    "day,persona_id,persona_name,conversations,minutes\r\n"
    "2026-05-01,p5e1b9a04c37,Interview coach,2,12.5\r\n"
)

Examples = dict[Any, dict[str, Any]]
EXAMPLES: dict[str, Examples] = {
    "tavus_conversations_create": {
        "request": {"launch": LAUNCH},
        202: {"queued": QUEUED},
        201: {"launched": ACTIVE, "failed": FAILED},
        200: {"again": ACTIVE},
    },
    "tavus_conversations_list": {200: {"conversation": ENDED}},
    "tavus_conversations_retrieve": {200: {"active": ACTIVE, "ended": ENDED}},
    "tavus_conversations_end": {200: {"ended": ENDED}, 202: {"ending": ACTIVE}},
    "tavus_conversations_transcript": {
        200: {"turns": TRANSCRIPT},
        (200, "text/plain"): {"text": TRANSCRIPT_TEXT},
        (200, "text/vtt"): {"captions": TRANSCRIPT_VTT},
    },
    "tavus_conversations_events": {200: {"event": EVENT}},
    "tavus_personas_list": {200: {"gallery": GALLERY_PERSONA}},
    "tavus_personas_retrieve": {
        200: {"full": PERSONA, "gallery": GALLERY_PERSONA, "conflict": CONFLICTING_PERSONA}
    },
    "tavus_personas_create": {
        "request": {"prompted": NEW_PERSONA},
        202: {"stored": {**PERSONA, **PENDING}},
    },
    "tavus_personas_update": {
        "request": {"greeting": {"greeting": "Welcome. Shall we begin?"}},
        202: {"stored": {**PERSONA, **PENDING}},
    },
    "tavus_personas_delete": {202: {"going": {**PERSONA, **PENDING}}},
    "tavus_personas_resolve": {
        "request": {"ours": {"keep": "ours"}},
        202: {"stored": {**PERSONA, **PENDING}},
    },
    "tavus_replicas_list": {200: {"gallery": GALLERY_REPLICA}},
    "tavus_replicas_retrieve": {200: {"full": REPLICA, "gallery": GALLERY_REPLICA}},
    "tavus_replicas_create": {
        "request": {
            "video": {
                "replica_name": "Anna",
                "train_video_url": "https://media.example/anna-training.mp4",
            },
        },
        202: {"stored": {**REPLICA, **PENDING}},
    },
    "tavus_replicas_update": {
        "request": {"rename": {"replica_name": "Anna"}},
        202: {"stored": {**REPLICA, **PENDING}},
    },
    "tavus_replicas_delete": {202: {"going": {**REPLICA, **PENDING}}},
    "tavus_replicas_resolve": {
        "request": {"theirs": {"keep": "theirs"}},
        202: {"stored": {**REPLICA, **PENDING}},
    },
    "tavus_documents_list": {200: {"document": DOCUMENT}},
    "tavus_documents_retrieve": {200: {"document": DOCUMENT}},
    "tavus_documents_create": {
        "request": {
            "website": {
                "document_name": "Price list",
                "document_url": "https://www.example.com/prices/",
                "tags": ["prices"],
                "crawl": {"depth": 2, "max_pages": 20},
            },
        },
        202: {"stored": {**DOCUMENT, **PENDING}},
    },
    "tavus_documents_update": {
        "request": {"tags": {"tags": ["prices"]}},
        202: {"stored": {**DOCUMENT, **PENDING}},
    },
    "tavus_documents_delete": {202: {"going": {**DOCUMENT, **PENDING}}},
    "tavus_documents_resolve": {
        "request": {"ours": {"keep": "ours"}},
        202: {"stored": {**DOCUMENT, **PENDING}},
    },
    "tavus_documents_recrawl": {202: {"stored": {**DOCUMENT, **PENDING}}},
    "tavus_usage_list": {
        200: {"days": USAGE},
        (200, "text/csv"): {"table": USAGE_CSV},
    },
}

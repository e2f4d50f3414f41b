"""The fields of every request body, as tables (Tavus docs and the provider's own client)."""

from __future__ import annotations

from django_tavus.sandbox.wire.fields import Field, Flag, Free, Items, Number, Record, Text

ANY = Field()
TEXT = Text()
TEXTS = Items()
LEVELS = ("low", "medium", "high")

RECORDING_STORAGE = Record(
    members={
        "provider": Text(choices=("s3", "gcs", "azure_blob")),
        "bucket_name": TEXT,
        "bucket_region": TEXT,
        "assume_role_arn": TEXT,
        "external_id": TEXT,
        "project_id": TEXT,
        "workload_identity_provider": TEXT,
        "service_account_email": TEXT,
        "storage_account": TEXT,
        "container": TEXT,
        "tenant_id": TEXT,
        "client_id": TEXT,
        "key_template": TEXT,
    },
    required=("provider",),
)

CONVERSATION_PROPERTIES = Record(
    members={
        # Shorter calls were reported to be refused.
        "max_call_duration": Number(minimum=60),
        "participant_left_timeout": Number(minimum=0),
        "participant_absent_timeout": Number(minimum=0),
        "enable_recording": Flag(),
        "auto_start_recording": Flag(),
        "enable_closed_captions": Flag(),
        "apply_greenscreen": Flag(),
        "require_auth": Flag(),
        # The full English name; codes such as "es" and "en-US" are refused.
        "language": Text(
            pattern=r"[A-Za-z][A-Za-z ()]{3,}", hint="Must be the full name of a language."
        ),
        "languages": TEXTS,
        "recording_storage": RECORDING_STORAGE,
        "recording_s3_bucket_name": TEXT,
        "recording_s3_bucket_region": TEXT,
        "aws_assume_role_arn": TEXT,
        "livekit_ws_url": TEXT,
        "livekit_room_token": TEXT,
    }
)

CONVERSATION = Record(
    members={
        "replica_id": TEXT,
        "face_id": TEXT,
        "persona_id": TEXT,
        "pal_id": TEXT,
        "audio_only": Flag(strings=True),  # typed boolean, exemplified by the string "false"
        "callback_url": TEXT,
        "conversation_name": TEXT,
        "conversational_context": TEXT,
        "custom_greeting": TEXT,
        "dynamic_greeting": Flag(),
        "enable_dynamic_greeting": Flag(),
        "memory_stores": TEXTS,
        "participant_tags": TEXTS,
        "document_ids": TEXTS,
        "document_tags": TEXTS,
        "document_retrieval_strategy": Text(choices=("speed", "balanced", "quality")),
        "test_mode": Flag(),
        "require_auth": Flag(),
        "max_participants": Number(minimum=2),
        "meeting_url": TEXT,
        "policy": TEXT,
        "properties": CONVERSATION_PROPERTIES,
    }
)

TOOL_FUNCTIONS = Items(item=Free())

LAYERS = Record(
    null=True,
    members={
        "perception": Record(
            null=True,
            members={
                "perception_model": Text(choices=("raven-1", "raven-0", "off")),
                "visual_awareness_queries": TEXTS,
                "visual_tool_prompt": TEXT,
                "visual_tools": TOOL_FUNCTIONS,
                "audio_awareness_queries": TEXTS,
                "audio_tool_prompt": TEXT,
                "audio_tools": TOOL_FUNCTIONS,
                "perception_analysis_queries": TEXTS,
                "emotion_recognition": Text(choices=("full", "limited", "auto")),
                # names of an older generation, still accepted
                "ambient_awareness_queries": TEXTS,
                "perception_tool_prompt": TEXT,
                "perception_tools": TOOL_FUNCTIONS,
                "tool_prompt": TEXT,
            },
        ),
        "stt": Record(
            null=True,
            members={
                "stt_engine": Text(
                    choices=(
                        "tavus-auto",
                        "tavus-parakeet",
                        "tavus-soniox",
                        "tavus-whisper",
                        "tavus-deepgram-medical",
                        "tavus-advanced",
                    )
                ),
                "hotwords": TEXT,
                "participant_pause_sensitivity": TEXT,
                "participant_interrupt_sensitivity": TEXT,
                "smart_turn_detection": Flag(),
            },
        ),
        "conversational_flow": Record(
            null=True,
            members={
                "turn_detection_model": Text(choices=("sparrow-1", "sparrow-0")),
                "turn_taking_patience": Text(choices=LEVELS),
                "turn_commitment": Text(choices=LEVELS),
                "replica_interruptibility": Text(choices=LEVELS),
                "active_listening": TEXT,
                "voice_isolation": Text(choices=("off", "near")),
                "noise_cancellation": TEXT,
                "wake_phrase": TEXT,
                "sleep_phrase": TEXT,
                "idle_engagement": Text(choices=("off", "patient", "eager")),
            },
        ),
        "llm": Record(
            null=True,
            members={
                "model": TEXT,
                "base_url": TEXT,
                "api_key": TEXT,
                "speculative_inference": Flag(),
                "tools": TOOL_FUNCTIONS,
                "headers": Free(),
                "extra_body": Free(),
                "default_query": Free(),
                "disable_vision": Flag(),
                "enable_llm_proxy": Flag(),
                "is_custom": Flag(),
                "endpoint": TEXT,
                "model_name": TEXT,
            },
        ),
        "tts": Record(
            null=True,
            members={
                "tts_engine": Text(choices=("cartesia", "elevenlabs")),
                "external_voice_id": TEXT,
                "api_key": TEXT,
                "voice_settings": Free(),
                "tts_emotion_control": Flag(strings=True),  # patched with "true" in the docs
                "tts_model_name": TEXT,
                "pronunciation_dictionary_id": TEXT,
                "playht_user_id": TEXT,
            },
        ),
        "transport": Free(null=True),
        "sts": Free(null=True),
        "conferencing": Record(
            null=True,
            members={"username": TEXT, "allowlist": TEXTS, "whitelabel": Flag(), "email": TEXT},
        ),
        "capabilities": Free(null=True),
        "knowledge_base": Free(null=True),
        # Not in the schema, yet the provider's own example of a full persona puts them here.
        "document_ids": TEXTS,
        "document_tags": TEXTS,
    },
)

PERSONA = Record(
    members={
        "persona_name": TEXT,
        "system_prompt": Text(null=True),
        "pipeline_mode": Text(choices=("full", "echo", "speech-to-speech")),
        "context": Text(null=True),
        "greeting": Text(null=True),
        "default_replica_id": Text(null=True),
        "document_ids": TEXTS,
        "document_tags": TEXTS,
        "objectives_id": Text(null=True),
        "guardrails_id": Text(null=True),
        "guardrail_ids": TEXTS,
        "guardrail_tags": TEXTS,
        "tool_ids": Items(maximum=50),
        "memories": TEXTS,
        "is_template": Flag(),
        "layers": LAYERS,
    }
)

PAL_ONLY: dict[str, Field] = {
    "languages": TEXTS,
    "disclosure_type": Text(choices=("always", "auto", "off")),
    "verbal_disclosure": ANY,
    "visual_disclosure": ANY,
}
"""What newer docs give to PALs alone."""

REPLICA = Record(
    members={
        "train_video_url": TEXT,
        "train_image_url": TEXT,
        "consent_video_url": TEXT,
        "voice_name": TEXT,
        "auto_fix_training_image": Flag(),
        "callback_url": TEXT,
        "replica_name": TEXT,
        "model_name": Text(choices=("phoenix-4", "phoenix-3", "phoenix-4.5")),
        "properties": Record(members={"background_green_screen": Flag()}),
    }
)
REPLICA_NAME = Record(members={"replica_name": TEXT}, required=("replica_name",))

CRAWL = Record(
    members={"depth": Number(minimum=1, maximum=10), "max_pages": Number(minimum=1, maximum=100)}
)
DOCUMENT = Record(
    members={
        "document_url": Text(filled=True),
        "document_name": TEXT,
        "callback_url": TEXT,
        "tags": TEXTS,
        "crawl": CRAWL,
        "properties": Free(),
        # sent by the provider's command line
        "participant_tags": TEXTS,
        "custom_description": TEXT,
        "is_customer_support_document": Flag(),
        "font_size_aware_extraction": Flag(),
    },
    required=("document_url",),
)
DOCUMENT_CHANGES = Record(members={"document_name": TEXT, "tags": TEXTS})
RECRAWL = Record(members={"crawl": CRAWL})

VIDEO = Record(
    members={
        "replica_id": TEXT,
        "script": TEXT,
        "audio_url": TEXT,
        "video_name": TEXT,
        "background_url": TEXT,
        "background_source_url": TEXT,
        "callback_url": TEXT,
        "fast": Flag(),
        "transparent_background": Flag(),
        "watermark_image_url": TEXT,
        "properties": Record(
            members={
                "background_scroll": Flag(),
                "background_scroll_type": Text(choices=("human", "smooth")),
                "background_scroll_depth": Text(choices=("middle", "bottom")),
                "background_scroll_return": Text(choices=("return", "halt")),
                "start_with_wave": Flag(),
            }
        ),
    },
    required=("replica_id",),
)
VIDEO_NAME = Record(members={"video_name": TEXT}, required=("video_name",))

TRANSCRIPTION = Record(
    members={"file_url": TEXT, "callback_url": TEXT}, required=("file_url", "callback_url")
)

OBJECTIVE = Record(
    members={
        "objective_name": Text(
            filled=True,
            maximum=100,
            pattern=r"[A-Za-z0-9_]+",
            hint="must contain only letters, numbers, and underscores",
        ),
        "objective_prompt": Text(filled=True, maximum=10_000),
        "confirmation_mode": Text(choices=("auto", "manual")),
        "output_variables": Items(maximum=50),
        "modality": Text(choices=("verbal", "visual", "audio")),
        "next_conditional_objectives": Free(null=True, values=TEXT),
        "next_required_objective": Text(null=True),
        "callback_url": Text(maximum=2048),
        "tool_call": Free(null=True),
    },
    required=("objective_name", "objective_prompt"),
)
OBJECTIVES = Record(
    members={
        "name": Text(maximum=100),
        "data": Items(item=OBJECTIVE, minimum=1, maximum=50),
        "allow_loops": Flag(),
    },
    required=("data",),
)

GUARDRAIL = Record(
    members={
        "guardrail_name": Text(filled=True),
        "guardrail_prompt": Text(filled=True),
        "modality": Text(choices=("verbal", "visual", "audio")),
        "callback_url": TEXT,
        "tool_call": Free(null=True),
    },
    required=("guardrail_name", "guardrail_prompt"),
)
GUARDRAIL_SET = Record(
    members={"name": TEXT, "data": Items(item=GUARDRAIL, minimum=1)}, required=("data",)
)
FLAT_GUARDRAIL = GUARDRAIL.extended(
    app_message=Flag(), tags=Items(item=Text(filled=True), maximum=32)
)

DICTIONARY = Record(
    members={
        "name": Text(filled=True, maximum=255),
        "rules": Items(
            maximum=10_000,
            item=Record(
                members={
                    "text": Text(filled=True, maximum=200),
                    "pronunciation": Text(filled=True, maximum=500),
                    "type": Text(choices=("alias", "ipa")),
                    "alphabet": Text(choices=("ipa",), null=True),
                    "case_sensitive": Flag(),
                    "word_boundaries": Flag(),
                },
                required=("text", "pronunciation", "type"),
            ),
        ),
    },
    required=("name",),
)

TOOL_CHANGES = Record(
    members={
        "name": Text(pattern=r"[A-Za-z_][A-Za-z0-9_]{0,63}"),
        "description": Text(filled=True),
        "parameters": Free(),
        "delivery": Record(members={"app_message": Flag(null=True), "api": Free(null=True)}),
        "origin": Text(choices=("llm", "vision", "audio")),
        "on_call": Text(
            null=True, choices=("generate_filler", "static_filler", "silent", "passthrough")
        ),
        "on_resolve": Text(
            null=True,
            choices=(
                "generate_response",
                "response_in_result",
                "add_to_context",
                "fire_and_forget",
            ),
        ),
        "static_filler": Text(null=True),
        "trigger_type": TEXT,
        "tags": TEXTS,
    }
)
TOOL = Record(members=TOOL_CHANGES.members, required=("name", "description"))
TOOL_IDS = Record(members={"tool_ids": Items(minimum=1, maximum=50)}, required=("tool_ids",))
SKILL = Record(members={"config": Free(null=True)})
SKILLS = Record(members={"skills": Free(values=Free(null=True))}, required=("skills",))

CANVAS_INTERACTION = Record(
    members={
        "interaction_id": Text(filled=True),
        "tool_call_id": TEXT,
        "component": TEXT,
        "component_version": TEXT,
        "type": Text(choices=("submit", "skip", "dismiss", "clear", "error", "heartbeat")),
        "value": Field(null=True),
        "metadata": Field(null=True),
    },
    required=("interaction_id",),
)

"""Signals that announce facts about conversations, documents and replicas.

Every signal is sent after commit with ``send_robust`` and carries the object under its model's
name (``conversation``, ``document`` or ``replica``) and ``event``, the
:class:`~django_tavus.models.WebhookEvent` that told us, or ``None`` when we found out ourselves.
``sender`` is the model class. Each fact is announced at least once, and twice only if the process
died between sending and marking. A receiver that raises is recorded on the outbox entry and stops
nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

conversation_launched = Signal()
"""Tavus has given the conversation a room. Arguments: ``conversation``, ``event``."""
conversation_failed = Signal()
"""The launch came to nothing; see ``error_code``. Arguments: ``conversation``, ``event``."""
replica_joined = Signal()
"""The replica is in the room. Arguments: ``conversation``, ``event``."""
conversation_ended = Signal()
"""The conversation is over. Arguments: ``conversation``, ``event``."""
transcript_ready = Signal()
"""A transcript is stored, or one with more turns. Arguments: ``conversation``, ``event``."""
recording_ready = Signal()
"""A recording lies in the host's bucket. Arguments: ``conversation``, ``event``."""
perception_ready = Signal()
"""The perception analysis is stored. Arguments: ``conversation``, ``event``."""
document_ready = Signal()
"""A document can be used. Arguments: ``document``, ``event``."""
document_failed = Signal()
"""Tavus could not process a document. Arguments: ``document``, ``event``."""
replica_ready = Signal()
"""A replica has been trained. Arguments: ``replica``, ``event``."""
replica_failed = Signal()
"""A replica's training failed. Arguments: ``replica``, ``event``."""
webhook_received = Signal()
"""An event was taken in, of a known type or not. Arguments: the object it is about, ``event``."""

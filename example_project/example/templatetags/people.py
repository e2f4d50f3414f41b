"""``{% face replica %}``: whoever one talks to, as a picture that is always there."""

from __future__ import annotations

import hashlib
from typing import Any

from django import template

from django_tavus.models import Replica
from example.cast import known_as
from example.portraits import KNOWN

register = template.Library()
register.filter("known_as", lambda subject: known_as(str(subject)))


@register.inclusion_tag("example/face.html")
def face(replica: Replica | None, size: str = "small", alt: str = "") -> dict[str, Any]:
    """Render the portrait of ``replica``; ``large`` ones have Tavus's preview video on top.

    The video lies over the picture and not in its place: what cannot be loaded leaves no hole.
    """
    return {
        "seed": seed_of(replica),
        "size": size,
        "alt": alt,
        "video": preview_of(replica) if size == "large" else "",
    }


def seed_of(replica: Replica | None) -> str:
    """Return what the portrait of ``replica`` is drawn from; fit for a path."""
    if replica is None:
        return "nobody"
    name = replica.replica_name.lower()
    if name in KNOWN:
        return name
    return hashlib.sha256((replica.tavus_id or name).encode("utf-8", "replace")).hexdigest()[:16]


def preview_of(replica: Replica | None) -> str:
    """Return the address of Tavus's preview, which the site's policy admits over https only."""
    url = replica.thumbnail_video_url if replica else ""
    return url if url.startswith("https://") else ""

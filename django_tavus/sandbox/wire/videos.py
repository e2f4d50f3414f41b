"""``/videos``."""

from __future__ import annotations

from django_tavus.sandbox.engine.paging import cut_page
from django_tavus.sandbox.wire import bodies
from django_tavus.sandbox.wire.calls import NO_CONTENT, Call, Reply, Route


def create(call: Call) -> Reply:
    """POST /videos."""
    return Reply(call.engine.videos.create(call.body))


def list_all(call: Call) -> Reply:
    """GET /videos: the first page is 0."""
    query, videos = call.query, call.engine.videos
    rows = videos.owned_by(None)[::-1]
    page, envelope = cut_page("videos", rows, query.whole("limit"), query.whole("page"))
    return Reply({"data": [videos.detail(row) for row in page], **envelope})


def get(call: Call) -> Reply:
    """GET /videos/{id}."""
    videos = call.engine.videos
    video = videos.find(call["id"])
    return Reply(videos.detail(video, verbose=call.query.flag("verbose")))


def rename(call: Call) -> Reply:
    """PATCH /videos/{id}/name: 204 (observed; the docs say 200)."""
    videos = call.engine.videos
    videos.rename(videos.find(call["id"]), call.body["video_name"])
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """DELETE /videos/{id}: 204 (observed; the docs say 200)."""
    videos = call.engine.videos
    videos.remove(videos.find(call["id"]).id)
    return NO_CONTENT


ROUTES = (
    Route("POST", "/videos", create, bodies.VIDEO),
    Route("GET", "/videos", list_all),
    Route("GET", "/videos/<id>", get),
    Route("PATCH", "/videos/<id>/name", rename, bodies.VIDEO_NAME),
    Route("DELETE", "/videos/<id>", delete),
)

"""The buttons of what is published: conflicts are resolved, failures tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy

from django_tavus.admin.object_tools import AnyModelAdmin, Done, ObjectTool, ToolRefusedError
from django_tavus.models.base import PublishedObject
from django_tavus.models.choices import SyncState
from django_tavus.services import documents, publishing


def refusable(act: Callable[[Any], None], message: Any) -> Callable[..., Done]:
    """Return what a tool runs: a service, whose refusal is told."""

    def run(model_admin: AnyModelAdmin, request: HttpRequest, obj: Any) -> Done:
        try:
            act(obj)
        except ValidationError as error:
            raise ToolRefusedError(" ".join(error.messages)) from error
        except documents.RecrawlRefusedError as error:
            raise ToolRefusedError(error.message) from error
        return Done(message=str(message))

    return run


def why_no_retry(obj: PublishedObject) -> str:
    """Return why what failed cannot simply be tried again; empty if it can."""
    return _("Choose a version: keep ours, or take theirs.") if obj.conflicts else ""


PUBLISH_TOOLS = (
    ObjectTool(
        name="keep-ours",
        label=gettext_lazy("Keep ours"),
        permission="publish",
        is_shown=lambda obj: bool(obj.conflicts),
        run=refusable(
            lambda obj: publishing.resolve(obj, "ours"),
            gettext_lazy("Our version is kept. Tavus is being told."),
        ),
        confirm=gettext_lazy("Write our version of the members in conflict over that of Tavus?"),
    ),
    ObjectTool(
        name="take-theirs",
        label=gettext_lazy("Take theirs"),
        permission="publish",
        is_shown=lambda obj: bool(obj.conflicts),
        run=refusable(
            lambda obj: publishing.resolve(obj, "theirs"),
            gettext_lazy("The version of Tavus is taken over."),
        ),
        confirm=gettext_lazy("Give up our version of the members in conflict?"),
    ),
    ObjectTool(
        name="retry",
        label=gettext_lazy("Retry"),
        permission="publish",
        is_shown=lambda obj: obj.sync_state == SyncState.FAILED,
        refusal=why_no_retry,
        run=refusable(publishing.retry, gettext_lazy("Tavus is being told again.")),
    ),
    ObjectTool(
        name="create-again",
        label=gettext_lazy("Create again"),
        permission="publish",
        is_shown=lambda obj: (
            obj.sync_state == SyncState.FAILED
            and not obj.delete_requested_at
            and publishing.is_in_doubt(obj)
        ),
        run=refusable(
            lambda obj: publishing.retry(obj, create_again=True),
            gettext_lazy("It is being created again."),
        ),
        confirm=gettext_lazy(
            "Nobody knows whether Tavus has made this already. Have you looked there, and want to "
            "create it once more?"
        ),
    ),
)

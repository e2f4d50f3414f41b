"""Buttons that do something: forms that POST, on change pages and above lists.

A tool is hidden from those who may never use it, who get a 403 if they try; it is disabled, with
the reason, while the object is in no state for it. A GET never changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from django_tavus.services import diagnosing
from django_tavus.services.diagnosing import Finding

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin

Text = Any  # str or a lazy translation
Fieldset = tuple[Text, dict[str, Any]]


class ToolRefusedError(Exception):
    """Nothing was done; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a tool did.

    Attributes:
        message: shown to the user.
        log: written to the object's history; the message, if empty.
        url: page to go to; back to where the button was, if empty.
        level: of the message.
    """

    message: str
    log: str = ""
    url: str = ""
    level: int = messages.SUCCESS


@dataclass(frozen=True, kw_only=True)
class ObjectTool:
    """One button.

    Attributes:
        name: last part of its URL.
        label: what stands on it.
        permission: ``has_<permission>_permission(request, obj)`` of the admin decides.
        run: ``run(model_admin, request, obj)``; the object is ``None`` above a list.
        is_shown: ``is_shown(obj)`` says whether the object is one that it is meant for at all.
        refusal: ``refusal(obj)`` says why it cannot be used now; empty if it can.
        confirm: question that is asked first; empty for none.
        fields: hidden fields of its form, made anew for each page.
    """

    name: str
    label: Text
    permission: str
    run: Callable[[Any, HttpRequest, Any], Done]
    is_shown: Callable[[Any], bool] = lambda obj: True
    refusal: Callable[[Any], Text] = lambda obj: ""
    confirm: Text = ""
    fields: Callable[[], dict[str, str]] = dict


@dataclass(frozen=True, kw_only=True)
class Button:
    """A tool as it stands on one page."""

    name: str
    label: Text
    url: str
    reason: Text = ""
    confirm: Text = ""
    fields: dict[str, str] = field(default_factory=dict)


class ObjectToolsMixin(AnyModelAdmin):
    """Adds ``object_tools`` to the change page and ``changelist_tools`` to the list.

    Where ``shows_findings`` is set, both say what is wrong with the site, and what mends it.
    """

    object_tools: Sequence[ObjectTool] = ()
    changelist_tools: Sequence[ObjectTool] = ()
    shows_findings = False

    class Media:
        css = {"all": ["django_tavus/admin.css"]}
        js = ["django_tavus/admin.js"]

    def get_urls(self) -> list[URLPattern]:
        """Put the tools' URLs before the stock ones, whose last pattern takes everything."""
        wrap = self.admin_site.admin_view
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("tools/<slug:tool>/", wrap(self.list_tool_view), name=f"{name}_list_tool"),
            path("<path:object_id>/tools/<slug:tool>/", wrap(self.tool_view), name=f"{name}_tool"),
            *super().get_urls(),
        ]

    # --- use ----------------------------------------------------------------------------------

    @method_decorator(require_POST)
    def tool_view(self, request: HttpRequest, object_id: str, tool: str) -> HttpResponse:
        """Use a tool on one object: 405 for a GET, 403 without permission, else a redirect."""
        found = _find(self.object_tools, tool)
        obj = self.get_object(request, unquote(object_id))
        self._check_permission(request, found, obj)
        if obj is None:
            return self._gone(request, object_id)
        return self._use(request, found, obj)

    @method_decorator(require_POST)
    def list_tool_view(self, request: HttpRequest, tool: str) -> HttpResponse:
        """Use a tool above the list; answers like :meth:`tool_view`."""
        found = _find(self.changelist_tools, tool)
        self._check_permission(request, found, None)
        return self._use(request, found, None)

    def refuse(self, request: HttpRequest, reason: str, url: str) -> HttpResponse:
        """Say why nothing was done, and lead to ``url``."""
        self.message_user(request, reason, messages.ERROR)
        return HttpResponseRedirect(url)

    def _gone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        text = _("%(name)s “%(key)s” does not exist any more.")
        kind = capfirst(str(self.opts.verbose_name))
        self.message_user(request, text % {"name": kind, "key": object_id}, messages.WARNING)
        return HttpResponseRedirect(self.page_url())

    def may_use(self, request: HttpRequest, tool: ObjectTool, obj: Any) -> bool:
        """Whether the user may ever use ``tool`` on ``obj``, which she must be able to see."""
        allowed: bool = getattr(self, f"has_{tool.permission}_permission")(request, obj)
        return allowed and self.has_view_or_change_permission(request, obj)

    def _check_permission(self, request: HttpRequest, tool: ObjectTool, obj: Any) -> None:
        if not self.may_use(request, tool, obj):
            raise PermissionDenied

    def _use(self, request: HttpRequest, tool: ObjectTool, obj: Any) -> HttpResponse:
        url = self._back(request, obj)
        if reason := tool.refusal(obj):
            self.message_user(request, str(reason), messages.WARNING)
        elif tool.confirm and "confirm" not in request.POST:
            return self._ask(request, tool, obj, url)
        else:
            url = self._run(request, tool, obj) or url
        return HttpResponseRedirect(url)

    def _run(self, request: HttpRequest, tool: ObjectTool, obj: Any) -> str:
        try:
            done = tool.run(self, request, obj)
        except ToolRefusedError as error:
            self.message_user(request, str(error), messages.ERROR)
            return ""
        if obj is None:
            self._log_list_tool(request, done.log or done.message)
        else:
            self.log_change(request, obj, done.log or done.message)
        self.message_user(request, done.message, done.level)
        return done.url

    def _log_list_tool(self, request: HttpRequest, message: str) -> None:
        """Log what has no object; Django's own methods want one."""
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=str(self.opts.verbose_name_plural),
            action_flag=CHANGE,
            change_message=message,
        )

    def _ask(self, request: HttpRequest, tool: ObjectTool, obj: Any, back: str) -> HttpResponse:
        """Ask on a page of its own; with JavaScript the question came before the POST."""
        kept = {key: str(request.POST.get(key, value)) for key, value in tool.fields().items()}
        context = {
            **self.admin_site.each_context(request),
            "title": tool.label,
            "opts": self.opts,
            "original": obj,
            "question": tool.confirm,
            "label": tool.label,
            "back": back,
            "fields": {**kept, "next": back, "confirm": "1"},
            "media": self.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/django_tavus/confirm_tool.html", context)

    def _back(self, request: HttpRequest, obj: Any) -> str:
        wanted = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(
            wanted, {request.get_host()}, require_https=request.is_secure()
        ):
            return wanted
        return self.page_url(obj)

    # --- show ---------------------------------------------------------------------------------

    def page_url(self, obj: Any = None) -> str:
        """Return the URL of the object's change page, or of the list without an object."""
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        if obj is None:
            return reverse(f"{name}_changelist")
        return reverse(f"{name}_change", args=[quote(obj.pk)])

    def tool_url(self, tool: str, obj: Any = None) -> str:
        """Return the URL that the button of ``tool`` posts to."""
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        if obj is None:
            return reverse(f"{name}_list_tool", args=[tool])
        return reverse(f"{name}_tool", args=[quote(obj.pk), tool])

    def tool_buttons(self, request: HttpRequest, obj: Any, back: str) -> list[Button]:
        """Return the buttons that the user sees; after use the browser returns to ``back``."""
        tools = self.changelist_tools if obj is None else self.object_tools
        return [
            Button(
                name=tool.name,
                label=tool.label,
                url=self.tool_url(tool.name, obj),
                reason=tool.refusal(obj),
                confirm=tool.confirm,
                fields={**tool.fields(), "next": back},
            )
            for tool in tools
            if tool.is_shown(obj) and self.may_use(request, tool, obj)
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the buttons to the change page."""
        if (obj := kwargs.get("obj")) is not None:
            context["tool_buttons"] = self.tool_buttons(request, obj, request.get_full_path())
            context["findings"] = self.findings()
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the buttons to the list."""
        context = {
            "tool_buttons": self.tool_buttons(request, None, request.get_full_path()),
            "findings": self.findings(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def findings(self) -> Callable[[], Sequence[Finding]]:
        """Return what the page calls for its banners: only if it is shown does it cost queries."""
        return diagnosing.findings if self.shows_findings else tuple


def _find(tools: Sequence[ObjectTool], name: str) -> ObjectTool:
    for tool in tools:
        if tool.name == name:
            return tool
    raise Http404

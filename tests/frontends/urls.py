"""A site with the pages of docs/frontends.md."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import ensure_csrf_cookie

from tests import urls
from tests.frontends import recipes

SCRIPTED = (
    '<!doctype html><html lang="en"><title>{entry}</title><style>{style}</style><body>'
    '<script type="module">{code}</script>'
)


@ensure_csrf_cookie
def fetch(request: HttpRequest) -> HttpResponse:
    """The page of HTML, as it stands in the docs."""
    return HttpResponse(recipes.fetch_frontend())


@ensure_csrf_cookie
def scripted(request: HttpRequest, entry: str) -> HttpResponse:
    """A page for one of the entries."""
    code, style = recipes.bundle(entry)
    code = code.replace("</script", "<\\/script")
    return HttpResponse(SCRIPTED.format(entry=entry, style=style, code=code))


urlpatterns = [
    *urls.urlpatterns,
    path("fetch/", fetch),
    path("scripted/<str:entry>/", scripted),
]

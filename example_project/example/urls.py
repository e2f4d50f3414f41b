"""Addresses: the site's own pages, the admin, and everything of django_tavus below one path."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from example.views import history, people, usage

urlpatterns = [
    path("", people.home, name="home"),
    path("start/", people.start, name="start"),
    path("interview/", people.interview, name="interview"),
    path("portraits/<slug:seed>.svg", people.portrait, name="portrait"),
    path("history/", history.history, name="history"),
    path("history/<uuid:pk>/", history.review, name="review"),
    path("history/<uuid:pk>/end/", history.end, name="end"),
    path("history/<uuid:pk>/delete/", history.delete, name="delete"),
    path("usage/", usage.usage_page, name="usage"),
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("tavus/", include("django_tavus.urls")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]

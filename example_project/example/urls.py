"""Addresses: the site's own pages, the admin, and everything of django_tavus below one path."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from example import views

urlpatterns = [
    path("", views.home, name="home"),
    path("start/", views.start, name="start"),
    path("history/", views.history, name="history"),
    path("history/<uuid:pk>/", views.review, name="review"),
    path("login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("tavus/", include("django_tavus.urls")),
]

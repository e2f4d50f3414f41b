"""Everything under one ``include("django_tavus.urls")``, mountable anywhere."""

from __future__ import annotations

from django.urls import include, path

app_name = "django_tavus"

urlpatterns = [
    path("callbacks/", include("django_tavus.callbacks.urls")),
    path("api/", include("django_tavus.api.urls")),
    path("rooms/", include("django_tavus.rooms.urls")),
]

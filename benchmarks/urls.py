from __future__ import annotations

from django.urls import include, path

from benchmarks.floor import insert

urlpatterns = [
    path("tavus/", include("django_tavus.urls")),
    path("floor/<str:pk>/", insert),
]

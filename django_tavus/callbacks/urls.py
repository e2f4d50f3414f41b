"""The address that Tavus calls."""

from __future__ import annotations

from django.urls import path

from django_tavus.callbacks.views import CallbackView

urlpatterns = [path("<str:token>/", CallbackView.as_view(), name="callback")]

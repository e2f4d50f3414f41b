"""Where people meet."""

from __future__ import annotations

from django.urls import path

from django_tavus.rooms.views import LeaveView, RoomView, StatusView

urlpatterns = [
    path("<uuid:pk>/", RoomView.as_view(), name="room"),
    path("<uuid:pk>/status/", StatusView.as_view(), name="room-status"),
    path("<uuid:pk>/leave/<str:token>/", LeaveView.as_view(), name="room-leave"),
]

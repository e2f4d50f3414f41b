"""Routes of the REST API, to be included under the namespace ``django_tavus``."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from django_tavus.api.views import (
    ConversationViewSet,
    DocumentViewSet,
    PersonaViewSet,
    ReplicaViewSet,
    UsageViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("conversations", ConversationViewSet, "conversation")
router.register("personas", PersonaViewSet, "persona")
router.register("replicas", ReplicaViewSet, "replica")
router.register("documents", DocumentViewSet, "document")
router.register("usage", UsageViewSet, "usage")

urlpatterns = router.urls

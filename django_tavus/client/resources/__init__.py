"""The remote resources, one small class each; methods carry the provider's verbs."""

from __future__ import annotations

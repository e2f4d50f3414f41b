"""HTTP in and out: routes, fields, vocabularies."""

from __future__ import annotations

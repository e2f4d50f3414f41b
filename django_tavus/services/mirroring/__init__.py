"""Mirroring: a page of remote objects becomes rows, in a handful of statements.

Read what is there, compare, write only what differs. A row is never overwritten in what somebody
edited here: unpublished edits are merged three-way (:mod:`merging`), and the write happens only
if no edit came in between; otherwise the page is read again.

:mod:`storing` is the door; a page goes through :mod:`reading`, :mod:`ownership`,
:mod:`comparing` and :mod:`writing`, and its links to other objects through :mod:`relations`.
"""

from __future__ import annotations

from django_tavus.services.mirroring.ownership import Owners
from django_tavus.services.mirroring.storing import store_page

__all__ = ["Owners", "store_page"]

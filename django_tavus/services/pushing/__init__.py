"""Pushing: the task that tells Tavus what was edited here.

:mod:`~django_tavus.services.publishing` stores an edit in its row, and makes no request; this
package makes the requests. Whoever comes to a row claims it (``claiming``) and does one thing
(``door``): delete, create, or compare three versions and send what only we changed. Every step may
be repeated: a patch that got lost shows in the next comparison, and a create whose outcome is
unknown is looked for in the list (``finding``) instead of being made again.
"""

from __future__ import annotations

from django_tavus.services.pushing.door import push, sweep_pushes

__all__ = ["push", "sweep_pushes"]

"""What a ``DELETE`` asks for: to delete, or with ``?hard=true`` to erase."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request

from django_tavus.api.errors import bad_parameter
from django_tavus.api.filters import only_value

HARD = {"true": True, "false": False}


def is_hard(request: Request, *, may_be: bool = True) -> bool:
    """Whether ``request`` is to erase; what is asked for beyond deleting is not taken for done.

    Raises:
        ValidationError: an unknown parameter (``hard`` too, unless it ``may_be``); or ``hard`` is
            neither true nor false, or both.
    """
    for name in request.query_params.keys() - ({"hard"} if may_be else set()):
        raise bad_parameter(name, _("Unknown parameter."))
    try:
        chosen = only_value(request.query_params.getlist("hard") or ["false"])
        return HARD[chosen]
    except KeyError:
        raise bad_parameter("hard", _("Must be true or false.")) from None
    except ValueError as error:
        raise bad_parameter("hard", str(error)) from error

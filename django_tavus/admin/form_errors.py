"""What a service says of a wish, told at the fields of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError


def add_service_errors(form: Any, error: ValidationError, names: Mapping[str, str]) -> None:
    """Put the errors at the fields that ``form`` has for them, the others above them all.

    ``names`` has the form's field by the provider's name, where they differ.
    """
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        field = names.get(name, name)
        if field in form.fields:
            form.add_error(field, errors)
        else:
            texts = ValidationError(errors).messages
            form.add_error(None, [f"{name}: {text}" for text in texts])

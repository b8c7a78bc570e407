"""Objects that are named as "module:name", so that a table of them loads none."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def named(place: str) -> Any:
    """The object at `place`, its module imported now."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)

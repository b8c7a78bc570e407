"""Objects given as "module:name", so that a table of them imports nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def named(place: str) -> Any:
    """Imports the module of `place` and returns the object that it names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)

"""Values that are written as JSON, as numbers and as settings."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.analysis.arrays import Floats

_NUMBERS = msgspec.json.Decoder(list[float])


def numbers_of(texts: Sequence[bytes]) -> tuple[Floats, NDArray[np.bool_]]:
    """Numbers, NaN where not finite, and which of the texts are numbers; both of shape (n,).

    True and false are 1 and 0. Bare NaN and Infinity are read, which JSON does not have.
    """
    try:
        values = np.array(_NUMBERS.decode(b"[" + b",".join(texts) + b"]"))
    except msgspec.DecodeError:
        found = [_number(text) for text in texts]
        are_numbers = np.array([number is not None for number in found], np.bool_)
        values = np.array([math.nan if number is None else number for number in found])
    else:
        are_numbers = np.ones(len(values), np.bool_)
    return finite_or_nan(values), are_numbers


def finite_or_nan(values: Floats) -> Floats:
    """The values, NaN where not finite."""
    return np.where(np.isfinite(values), values, np.nan)


def _number(text: bytes) -> float | None:
    if text in (b"true", b"false"):
        return float(text == b"true")
    try:
        return float(text)
    except ValueError:
        return None


def setting_text(name: str, text: bytes) -> dict[str, str]:
    """A setting as text by its name; those in an object by names with points between them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {name: text.decode("utf-8", "replace")}
    return flat_settings(name, value)


def flat_settings(name: str, value: Any) -> dict[str, str]:
    """Settings as text; those in a dict by names with points between them."""
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= flat_settings(f"{name}.{key}" if name else str(key), inner)
        return found
    return {name: value if isinstance(value, str) else json.dumps(value)}

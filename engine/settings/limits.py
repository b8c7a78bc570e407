"""Sentences on numbers and names that are out of bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from clr_tui.engine.errors import UserError, did_you_mean

LEAST_RATE, LARGEST_RATE = 1e-30, 1e6
"""Far beyond what can train, and well within float32, in which torch reckons."""
LEAST_LENGTH, LARGEST_COUNT = 1e-6, 10**9
"""The least length in epochs, and the most of anything that is counted."""
_MOST_DIGITS = 40
"""Of a number that is said to be wrong."""


def rate(field: str, lr: float, name: str | None = None) -> Iterator[UserError]:
    """A mistake where `lr` is no learning rate; `name` is what the sentence calls the field."""
    name = name or field
    if not (math.isfinite(lr) and lr > 0):
        yield UserError(f"{name} must be a number above 0, not {lr:g}", field)
    elif not LEAST_RATE <= lr <= LARGEST_RATE:
        yield UserError(f"{name} must be from 1e-30 to 1e6, not {lr:g}", field)


def length(field: str, epochs: float) -> Iterator[UserError]:
    """A mistake where nothing can be `epochs` long."""
    yield from above(field, epochs, 0)
    if 0 < epochs < LEAST_LENGTH:
        yield UserError(f"{field} must be at least {LEAST_LENGTH:g}, not {epochs:g}", field)
    if math.isfinite(epochs) and epochs > LARGEST_COUNT:
        yield UserError(f"{field} must be at most {LARGEST_COUNT}, not {epochs:g}", field)


def above(field: str, value: float, bound: int) -> Iterator[UserError]:
    """A mistake where `value` is not a finite number above `bound`."""
    if not (math.isfinite(value) and value > bound):
        yield UserError(f"{field} must be a number above {bound}, not {value:g}", field)


def decay(field: str, gamma: float) -> Iterator[UserError]:
    """A mistake where `gamma` is not above 0 and at most 1."""
    if not 0 < gamma <= 1:
        yield UserError(f"{field} must be above 0 and at most 1, not {gamma:g}", field)


def share(field: str, value: float, name: str | None = None) -> Iterator[UserError]:
    """A mistake where `value` is not at least 0 and below 1; `name` as for `rate`."""
    if not 0 <= value < 1:
        yield UserError(f"{name or field} must be at least 0 and below 1, not {value:g}", field)


def not_negative(field: str, value: float) -> Iterator[UserError]:
    """A mistake where `value` is below 0 or not finite."""
    if not (math.isfinite(value) and value >= 0):
        yield UserError(f"{field} must be 0 or above, not {value:g}", field)


def at_least_one(field: str, count: int) -> Iterator[UserError]:
    """A mistake where `count` is below 1, or beyond all reason."""
    if count < 1:
        yield UserError(f"{field} must be at least 1, not {shown(count)}", field)
    elif count > LARGEST_COUNT:
        yield UserError(f"{field} must be at most {LARGEST_COUNT}, not {shown(count)}", field)


def shown(count: int) -> str:
    """Its digits, or where they would fill lines, the first of them."""
    text = str(count)
    return text if len(text) <= _MOST_DIGITS else f"{text[:_MOST_DIGITS]}..."


def choice(field: str, value: str, choices: Sequence[str], name: str | None = None) -> UserError:
    """The mistake of a `value` that is none of `choices`; `name` as for `rate`."""
    near = did_you_mean(value.lower(), choices) or f": choose from {', '.join(choices)}"
    said = value if len(value) <= _MOST_DIGITS else f"{value[:_MOST_DIGITS]}..."
    return UserError(f"no {name or field} '{said}'{near}", field)

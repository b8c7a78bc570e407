"""base_lr and max_lr as marks that keys move and people type."""

from __future__ import annotations

import math
from typing import Literal

from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.errors import UserError
from clr_tui.engine.words import exact_lr

Which = Literal["base", "max"]
LOWEST = 1e-10
HIGHEST = 100.0
"""Outside `LOWEST` to `HIGHEST` no rate is of use: steps vanish in rounding, or explode."""


def step_bound(bounds: Bounds, which: Which, direction: int, factor: float) -> Bounds:
    """Move one bound by `direction` chart columns, each a factor of `factor` (> 1) in the rate.

    Bounds do not cross: the moved one stops a column beside the other, and neither leaves
    `LOWEST` to `HIGHEST`. A bound that stands closer already stays where it is.
    """
    value = bounds.base_lr if which == "base" else bounds.max_lr
    wanted = value * factor**direction
    if which == "base":
        limit = max(value, min(bounds.max_lr / factor, HIGHEST))
        return Bounds(base_lr=min(max(wanted, min(LOWEST, value)), limit), max_lr=bounds.max_lr)
    limit = min(value, max(bounds.base_lr * factor, LOWEST))
    return Bounds(base_lr=bounds.base_lr, max_lr=max(min(wanted, max(HIGHEST, value)), limit))


def read_lr(text: str, field: str) -> float:
    """The rate that `text` writes: `5e-4`, `0.003`.

    Raises:
        UserError: not a number, not finite, or outside `LOWEST` to `HIGHEST`; with `field`.
    """
    shown = text.strip()
    if not shown:
        raise UserError(f"{field} is missing: a rate like 5e-4 or 0.003", field)
    try:
        value = float(shown)
    except ValueError:
        raise UserError(f"{field} {shown!r} is not a number like 5e-4 or 0.003", field) from None
    if not math.isfinite(value) or value <= 0:
        raise UserError(f"{field} {shown} must be a number above 0, like 5e-4", field)
    if not LOWEST <= value <= HIGHEST:
        raise UserError(
            f"{field} {shown} is outside {exact_lr(LOWEST)} to {exact_lr(HIGHEST)}", field
        )
    return value


def read_bounds(base: str, high: str) -> Bounds:
    """Both bounds from what was typed.

    Raises:
        UserError: of the first field that is wrong, or where base_lr is not below max_lr.
    """
    base_lr, max_lr = read_lr(base, "base_lr"), read_lr(high, "max_lr")
    if base_lr >= max_lr:
        raise UserError(
            f"base_lr {exact_lr(base_lr)} is not below max_lr {exact_lr(max_lr)}", "base_lr"
        )
    return Bounds(base_lr=base_lr, max_lr=max_lr)


def bounds_errors(base: str, high: str) -> dict[str, str]:
    """What is wrong with either field as typed so far, by field name; empty where all is right."""
    errors: dict[str, str] = {}
    for text, field in ((base, "base_lr"), (high, "max_lr")):
        try:
            read_lr(text, field)
        except UserError as error:
            errors[field] = error.message
    if not errors:
        try:
            read_bounds(base, high)
        except UserError as error:
            errors[error.field or "base_lr"] = error.message
    return errors

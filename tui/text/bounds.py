"""base_lr and max_lr as marks that keys move and users type."""

from __future__ import annotations

from typing import Literal

from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import FACTOR
from clr_tui.engine.settings.lr_bounds import BASE_LR, MAX_LR, bounds_mistakes
from clr_tui.engine.settings.texts import read

Which = Literal["base", "max"]
MIN_BOUND, MAX_BOUND = MAX_LR.limits.ge or 0.0, MAX_LR.limits.le or 0.0


def step_bound(bounds: Bounds, which: Which, direction: int, factor: float) -> Bounds:
    """Move one bound by `direction` chart columns, each a factor of `factor` (> 1) in the rate.

    Bounds do not cross: the moved one stops a column from the other, and neither leaves
    `MIN_BOUND` to `MAX_BOUND`. A bound that is already closer stays where it is.
    """
    value = bounds.base_lr if which == "base" else bounds.max_lr
    wanted = value * factor**direction
    if which == "base":
        limit = max(value, min(bounds.max_lr / factor, MAX_BOUND))
        return Bounds(base_lr=min(max(wanted, min(MIN_BOUND, value)), limit), max_lr=bounds.max_lr)
    limit = min(value, max(bounds.base_lr * factor, MIN_BOUND))
    return Bounds(base_lr=bounds.base_lr, max_lr=max(min(wanted, max(MAX_BOUND, value)), limit))


def read_bounds(base: str, high: str) -> tuple[Bounds | None, dict[str, str]]:
    """Read both bounds from the typed texts; an empty base_lr means max_lr / `FACTOR`.

    Returns:
        The bounds, None if anything is wrong, and the error sentences by field.
    """
    rates: list[float | None] = []
    errors: dict[str, str] = {}
    for setting, text in ((BASE_LR, base), (MAX_LR, high)):
        try:
            rates.append(read(setting, text))
        except UserError as error:
            rates.append(None)
            errors[setting.name] = error.message
    base_lr, max_lr = rates
    if max_lr is None:
        return None, errors
    if base_lr is None:
        base_lr = max_lr / FACTOR
    for mistake in bounds_mistakes(base_lr, max_lr):
        errors.setdefault(mistake.field or "", mistake.message)
    return None if errors else Bounds(base_lr=base_lr, max_lr=max_lr), errors

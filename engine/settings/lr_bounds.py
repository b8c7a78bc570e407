"""Limits of base_lr and max_lr, wherever they are set: in settings, typed or moved."""

from __future__ import annotations

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import Train
from clr_tui.engine.settings.limits import not_below
from clr_tui.engine.settings.table import setting_of

BASE_LR, MAX_LR = setting_of(Train, "base_lr"), setting_of(Train, "max_lr")


def bounds_mistakes(base_lr: float, max_lr: float) -> list[UserError]:
    """The mistakes in the bounds of a policy that moves between them; empty if there are none."""
    found = [BASE_LR.mistake(base_lr), MAX_LR.mistake(max_lr)]
    wrong = [mistake for mistake in found if mistake is not None]
    return wrong or not_below("base_lr", base_lr, "max_lr", max_lr)

"""Settings as people write them, on a command line or in a form."""

from __future__ import annotations

import math
from typing import Any

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.settings.entries import optimizer_text, parse_entries, parse_optimizer
from clr_tui.engine.settings.limits import shown
from clr_tui.engine.settings.table import REQUIRED, Setting
from clr_tui.engine.words import exact_lr

ON, OFF = "on", "off"


def read(setting: Setting, text: str, said_as: str = "") -> Any:
    """The value that `text` writes; whether it is within its limits is not asked here.

    Args:
        setting: whose value it is.
        text: as it was typed; blank for no value, where the setting can have none.
        said_as: what a mistake calls it: an option, or nothing in a form, where it has its place.

    Raises:
        UserError: it cannot be read.
    """
    if setting.format == "entries":
        return parse_entries(text)
    typed = text.strip()
    if not typed and setting.empty and not said_as:
        return "" if setting.type is str else None
    if setting.choices or (setting.type is str and said_as):
        return setting.default if setting.choices and text == setting.empty else text
    if not typed:
        raise UserError(_missing(setting, said_as), setting.name)
    if setting.format == "share":
        return _share(setting, typed)
    if setting.format == "optimizer":  # an option may mean the one of a run that is named
        return text if said_as else _optimizer(text)
    if setting.type is bool:
        return typed == ON
    return _number(setting, typed, said_as) if setting.type in (int, float) else typed


def write(setting: Setting, value: Any) -> str:
    """The text that `read` reads as `value`; as short as it can be without changing it."""
    if value is None or value == "":
        return setting.empty if setting.choices else ""
    if setting.format == "share":
        return f"{100 * value:.12g}%"
    if setting.format == "entries":
        return ", ".join(entry.label for entry in value)
    if setting.format == "optimizer":
        return optimizer_text(value)
    if setting.type is bool:
        return ON if value else OFF
    return _exact(value) if setting.type is float else str(value)


def default_text(setting: Setting) -> str:
    """The text of its default; of a setting without one, that of its example."""
    return setting.example if setting.default is REQUIRED else write(setting, setting.default)


def _optimizer(text: str) -> OptimizerConfig:
    """In a form, where momentum and weight decay of sgd have fields of their own."""
    found = parse_optimizer(text)
    if found.name == "sgd" and ("momentum" in text or "weight_decay" in text):
        words = "momentum and weight_decay of sgd have fields of their own: leave them out here"
        raise UserError(words, "optimizer")
    return found


def _number(setting: Setting, typed: str, said_as: str) -> float:
    try:
        return int(typed) if setting.type is int else float(typed)
    except ValueError:
        what = "a whole number" if setting.type is int else "a number"
        said = f"{said_as} '{shown(typed)}'".strip()
        raise UserError(
            f"{said} is not {what}; give one like {setting.example}", setting.name
        ) from None


def _missing(setting: Setting, said_as: str) -> str:
    if said_as:
        return f"{said_as} is empty; give one like {setting.example}"
    if setting.type not in (int, float):
        return "nothing is given here"
    return f"a {'whole ' * (setting.type is int)}number is missing; give one like {setting.example}"


def _share(setting: Setting, typed: str) -> float:
    number, percent, rest = typed.partition("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if percent:
        value /= 100
    if rest or setting.mistake(value):
        raise UserError(setting.limits.sentence(setting.name, f"'{shown(typed)}'"), setting.name)
    # 65 % is 0.65, not the 0.6500000000000001 that a division may leave.
    return round(value, 12)


def _exact(value: float) -> str:
    short = exact_lr(value)
    return short if float(short) == value else repr(value)

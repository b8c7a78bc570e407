"""Settings as text, on a command line or in a form."""

from __future__ import annotations

import math
from typing import Any

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.settings.durations import duration, seconds_in
from clr_tui.engine.settings.entries import (
    optimizer_text,
    parse_entries,
    parse_optimizer,
    scheduler_text,
)
from clr_tui.engine.settings.limits import shown
from clr_tui.engine.settings.table import Setting
from clr_tui.engine.words import exact_lr

ON, OFF = "on", "off"


def read(setting: Setting, text: str, said_as: str = "") -> Any:
    """Parses a value; does not check its limits.

    Args:
        setting: the setting.
        text: as typed; blank for no value, if the setting allows that.
        said_as: the option's name for mistakes; empty in a form, which shows them at the field.

    Raises:
        UserError: the text cannot be parsed.
    """
    if setting.format == "entries":
        return parse_entries(text)
    if setting.format == "parameters":  # its type depends on the file
        return text
    typed = text.strip()
    if not typed and setting.empty and not said_as:
        return "" if setting.type is str else None
    if setting.format == "scheduler":
        return scheduler_text(typed) if typed else ""
    if setting.choices or (setting.type is str and said_as):
        return setting.default if setting.choices and text == setting.empty else text
    if not typed:
        raise UserError(_missing(setting, said_as), setting.name)
    if setting.format == "target":
        return _target(setting, typed)
    if setting.format == "duration":
        return _duration(setting, typed)
    if setting.format == "optimizer":  # an option may mean the one of a run that is named
        return text if said_as else _optimizer(text)
    if setting.type is bool:
        return typed == ON
    lower = typed.lower()
    if lower in setting.words:
        return lower
    for beginning in setting.beginnings:
        if lower.startswith(beginning):
            return beginning + typed[len(beginning) :].strip()
    return _number(setting, typed, said_as) if setting.type in (int, float) else typed


def write(setting: Setting, value: Any) -> str:
    """The shortest text that `read` parses as `value`."""
    if value is None or value == "":
        return setting.empty if setting.choices else ""
    if setting.format == "target":
        return f"{100 * value:.12g}%" if 0 < value < 1 else f"{value:.12g}"
    if setting.format == "duration":
        return duration(value)
    if setting.format == "entries":
        return ", ".join(entry.label for entry in value)
    if setting.format == "optimizer":
        return optimizer_text(value)
    if setting.type is bool:
        return ON if value else OFF
    if isinstance(value, str):
        return value
    if setting.type is float:
        short = exact_lr(value)
        return short if float(short) == value else repr(value)
    return str(value)


def _optimizer(text: str) -> OptimizerConfig:
    """Parses an optimizer in a form, where momentum and weight decay of sgd are separate fields."""
    found = parse_optimizer(text)
    if found.name == "sgd" and ("momentum" in text or "weight_decay" in text):
        words = "momentum and weight_decay of sgd have their own fields: leave them out here"
        raise UserError(words, "optimizer")
    return found


def _number(setting: Setting, typed: str, said_as: str) -> float:
    try:
        return int(typed) if setting.type is int else float(typed)
    except ValueError:
        what = "a whole number" if setting.type is int else "a number"
        said = f"{said_as} '{shown(typed)}'".strip()
        hint = did_you_mean(typed.lower(), setting.words)
        words = "".join(f"{word}, " for word in setting.words) + "or " * bool(setting.words)
        hint = hint or f"; give {words}one such as {setting.example}"
        raise UserError(f"{said} is not {what}{hint}", setting.name) from None


def _missing(setting: Setting, said_as: str) -> str:
    if said_as:
        return f"{said_as} is empty; give one such as {setting.example}"
    if setting.type not in (int, float):
        return "a value is missing"
    whole = "whole " if setting.type is int else ""
    return f"a {whole}number is missing; give one such as {setting.example}"


def _target(setting: Setting, typed: str) -> float:
    number, percent, rest = typed.partition("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if percent:
        value /= 100
    if rest or setting.mistake(value):
        said = f"{setting.name} must be a number, such as {setting.example}, not '{shown(typed)}'"
        raise UserError(said, setting.name)
    # 65 % is 0.65, but a division may give 0.6500000000000001.
    return round(value, 12)


def _duration(setting: Setting, typed: str) -> float:
    seconds = seconds_in(typed)
    if seconds is None:
        said = f"{setting.name} must be a duration such as 90s, 5m or 1h30m, not '{shown(typed)}'"
        raise UserError(said, setting.name)
    return seconds

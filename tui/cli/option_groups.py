"""The options of commands that start runs: those of the settings, and some that several share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.table import REQUIRED, Setting, settings_of
from clr_tui.engine.settings.texts import read, write
from clr_tui.tui.cli.parsing import Parser

METAVARS = {int: "N", float: "X"}


def add_settings(group: argparse._ActionsContainer, settings: Iterable[Setting]) -> None:
    """An option for each; what it reads is found under the setting's name, None where not given."""
    for setting in settings:
        add_setting(group, setting)


def add_setting(
    group: argparse._ActionsContainer, setting: Setting, reader: Callable[[str], Any] | None = None
) -> None:
    """The option of one setting; `reader` where it takes more than the values of the setting."""
    option = option_of(setting)
    words = help_of(setting).replace("%", "%%")
    if setting.type is bool:
        group.add_argument(
            option, dest=setting.name, action=argparse.BooleanOptionalAction, help=words
        )
        return
    group.add_argument(
        option,
        dest=setting.name,
        type=reader or partial(read, setting, said_as=option),
        metavar=setting.metavar or METAVARS.get(setting.type, "NAME"),
        help=words,
    )


def option_of(setting: Setting) -> str:
    """The option of a setting, such as `--batch-size`."""
    return setting.option or f"--{setting.name.replace('_', '-')}"


def help_of(setting: Setting) -> str:
    """What the help says of it: its choices and its default too."""
    words = setting.help
    if setting.choices:
        words += f": {', '.join(setting.choices)}"
    if setting.empty:
        return f"{words} (default: {setting.empty})"
    if setting.default is REQUIRED:
        return words
    return f"{words} (default {write(setting, setting.default)})"


def add_task(parser: Parser) -> None:
    """What is trained, and on what."""
    add_settings(parser.add_argument_group("the task"), settings_of(TaskConfig))


def add_detach(group: argparse._ActionsContainer) -> None:
    """Whether to stay with the run."""
    group.add_argument(
        "--detach",
        action="store_true",
        help="start it, print its id and return; clr-tui attach shows it",
    )

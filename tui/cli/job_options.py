"""The options of commands that start runs, and the task and optimizer that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeVar

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_optimizer
from clr_tui.engine.settings.table import REQUIRED, Setting, settings_of
from clr_tui.engine.settings.task_files import task_function
from clr_tui.engine.settings.texts import read, write
from clr_tui.tui.cli.parsing import Parser

S = TypeVar("S", bound=msgspec.Struct)
METAVARS = {int: "N", float: "X"}


def add_settings(group: argparse._ActionsContainer, settings: Iterable[Setting]) -> None:
    """Add an option for each setting, stored under the setting's name; None if not given."""
    for setting in settings:
        add_setting(group, setting)


def add_setting(group: argparse._ActionsContainer, setting: Setting) -> None:
    """Add the option of one setting."""
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
        action="append" if setting.format == "parameters" else "store",
        type=partial(read, setting, said_as=option),
        metavar=setting.metavar or METAVARS.get(setting.type, "NAME"),
        help=words,
    )


def option_of(setting: Setting) -> str:
    """Return the option of a setting, such as `--batch-size`."""
    return setting.option or f"--{setting.name.replace('_', '-')}"


def help_of(setting: Setting) -> str:
    """Return a setting's help with its choices and default."""
    words = setting.help
    if setting.choices:
        words += f": {', '.join(setting.choices)}"
    if setting.default is REQUIRED and not setting.empty:
        return words
    return f"{words} (default: {setting.empty or write(setting, setting.default)})"


def add_task(parser: Parser) -> None:
    """Add the options for the data, the model and the device."""
    add_settings(parser.add_argument_group("task options"), settings_of(TaskConfig))


def optimizer_from_args(args: argparse.Namespace, given: OptimizerConfig) -> OptimizerConfig:
    """Return `given`, or the one that is named, with the options' momentum and weight decay."""
    if args.optimizer is not None and args.optimizer.strip().lower() != given.name:
        given = parse_optimizer(args.optimizer)
    if given.name == "sgd":
        return with_options(given, args)
    if args.momentum is not None:
        raise UserError(
            f"--momentum is for sgd, but the optimizer is {given.name}: leave it out", "momentum"
        )
    if args.weight_decay is None:
        return given
    # Passed even if 0, which is not the default of all optimizers.
    options = {**given.options, "weight_decay": args.weight_decay}
    return msgspec.structs.replace(given, options=options)


def task_from_args(args: argparse.Namespace, given: TaskConfig) -> TaskConfig:
    """Return `given` changed by the options; the parameters of another task are not kept.

    Raises:
        UserError: an option does not go with `--task`, or `--set` has no task or does not fit it.
    """
    if args.task is not None and not args.task.strip():
        raise UserError("--task is empty; give one such as mytask.py", "task")
    task = with_options(given, args)
    if not task.task:
        if args.parameters:
            words = f"--set {args.parameters[0]} needs a task of your own: give --task FILE.py"
            raise UserError(words, "parameters")
        return task
    for setting in settings_of(TaskConfig):
        if setting.by_name and getattr(args, setting.name) is not None:
            words = f"{option_of(setting)} cannot be used with --task {task.task}"
            raise UserError(f"{words}: leave one of them out", setting.name)
    kept = given.parameters if task.task == given.task else {}
    asked = task_function(task.task).read(args.parameters) if args.parameters else {}
    return msgspec.structs.replace(task, parameters={**kept, **asked})


def refuse_both(args: argparse.Namespace, first: Setting, second: Setting, what: str) -> None:
    """Refuse two options that both set `what`, such as "the length of the sweep".

    Raises:
        UserError: both are given.
    """
    values = getattr(args, first.name), getattr(args, second.name)
    if None not in values:
        said = [
            f"{option_of(setting)} {write(setting, value)}"
            for setting, value in zip((first, second), values, strict=True)
        ]
        raise UserError(f"{' and '.join(said)} both set {what}; give one of them", second.name)


def with_options(config: S, args: argparse.Namespace) -> S:
    """Return `config` changed by the settings that the command line gave."""
    given: dict[str, Any] = {}
    for setting in settings_of(type(config)):
        value = getattr(args, setting.name)
        if setting.format == "parameters":  # `task_from_args` reads them
            continue
        if setting.format == "optimizer":
            given[setting.path[0]] = optimizer_from_args(args, setting.value_in(config))
        elif value is not None and len(setting.path) == 1:
            given[setting.path[0]] = value
    return msgspec.structs.replace(config, **given)

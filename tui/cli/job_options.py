"""Builds the task and the optimizer from the options of a command."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_optimizer
from clr_tui.engine.settings.table import settings_of

S = TypeVar("S", bound=msgspec.Struct)


def task_of(args: argparse.Namespace, given: TaskConfig | None = None) -> TaskConfig:
    """Return `given`, or the default task, changed by the options."""
    return with_options(given or TaskConfig(), args)


def optimizer_of(args: argparse.Namespace, given: OptimizerConfig) -> OptimizerConfig:
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


def with_options(config: S, args: argparse.Namespace) -> S:
    """Return `config` changed by the settings that the command line gave."""
    given: dict[str, Any] = {}
    for setting in settings_of(type(config)):
        value = getattr(args, setting.name)
        if setting.format == "optimizer":
            given[setting.path[0]] = optimizer_of(args, setting.value_in(config))
        elif value is not None and len(setting.path) == 1:
            given[setting.path[0]] = value
    return msgspec.structs.replace(config, **given)

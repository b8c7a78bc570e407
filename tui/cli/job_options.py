"""The task and the optimizer that the options of a command describe."""

from __future__ import annotations

import argparse
from typing import Any, TypeVar

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import OptimizerConfig, TaskConfig
from clr_tui.engine.settings.entries import parse_optimizer

S = TypeVar("S", bound=msgspec.Struct)


def task_of(args: argparse.Namespace, given: TaskConfig | None = None) -> TaskConfig:
    """The task: what the options say, over `given` or the defaults."""
    task = with_options(
        given or TaskConfig(),
        args,
        ("data", "model", "weights", "batch_size", "image_size", "seed", "device"),
    )
    if args.no_augment:
        task = msgspec.structs.replace(task, augment=False)
    return msgspec.structs.replace(task, compile=True) if args.compile else task


def optimizer_of(args: argparse.Namespace, given: OptimizerConfig) -> OptimizerConfig:
    """`given`, or the one that is named, with momentum and weight decay as the options say."""
    if args.optimizer is not None:
        named = parse_optimizer(args.optimizer)
        given = given if args.optimizer.strip().lower() == given.name else named
    if given.name == "sgd":
        return with_options(given, args, ("momentum", "weight_decay"))
    if args.momentum is not None:
        raise UserError(
            f"--momentum is an option of sgd, and this is {given.name}: leave it out", "momentum"
        )
    if args.weight_decay is None:
        return given
    # Given as it stands, since 0 is not what all of them have by themselves.
    options = {**given.options, "weight_decay": args.weight_decay}
    return msgspec.structs.replace(given, options=options)


def with_options(config: S, args: argparse.Namespace, names: tuple[str, ...]) -> S:
    """`config` with those of the named settings that the command line gave."""
    given: dict[str, Any] = {
        name: getattr(args, name) for name in names if getattr(args, name) is not None
    }
    return msgspec.structs.replace(config, **given)

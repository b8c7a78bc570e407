"""The range test that the options of its command describe."""

from __future__ import annotations

import argparse

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import (
    OptimizerConfig,
    RangeTest,
)
from clr_tui.tui.cli.job_options import optimizer_of, with_options


def range_test_of(args: argparse.Namespace) -> RangeTest:
    """The sweep that the options describe.

    Raises:
        UserError: where both `--epochs` and `--steps` are given.
    """
    if args.epochs is not None and args.steps is not None:
        raise UserError(
            f"--epochs {args.epochs:g} and --steps {args.steps} both set the length of the sweep;"
            " give one of them",
            "steps",
        )
    sweep = with_options(RangeTest(), args, ("start_lr", "end_lr", "epochs", "steps", "seeds"))
    return msgspec.structs.replace(
        sweep, accuracy=args.accuracy, optimizer=optimizer_of(args, OptimizerConfig())
    )

"""The range test that the options of its command describe."""

from __future__ import annotations

import argparse

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import (
    RangeTest,
)
from clr_tui.tui.cli.job_options import with_options


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
    return with_options(RangeTest(), args)

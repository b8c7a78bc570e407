"""The command that starts range tests."""

from __future__ import annotations

import argparse
from pathlib import Path

from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.engine.settings.table import setting_of, settings_of
from clr_tui.tui.cli.job_options import (
    add_settings,
    add_task,
    refuse_both,
    task_from_args,
    with_options,
)
from clr_tui.tui.cli.parsing import Parser, add_detach
from clr_tui.tui.kinds.registry import Command

DESCRIPTION = """\
Raise the learning rate step by step and plot the loss against it: the chart
shows which bounds to train between. A separate process does the work and keeps
running when the terminal closes."""
EXAMPLES = """\
clr-tui range-test                                  on the built-in digits
clr-tui range-test --data flowers --image-size 32   on a folder of images
clr-tui range-test --data flowers --model resnet34  transfer learning
clr-tui range-test --task mytask.py --set width=64  your own model and data
clr-tui range-test --seeds 3 --accuracy             three, with accuracy
clr-tui range-test --time 5m                        as long and as many as fit
clr-tui range-test --headless --json > result.json  for a script"""


def add_options(parser: Parser) -> None:
    """Add the options to the command's parser."""
    group = parser.add_argument_group("sweep options")
    add_settings(group, settings_of(RangeTest))
    add_detach(group)
    add_task(parser)


def range_test_from_args(
    args: argparse.Namespace, _runs: Path
) -> tuple[TaskConfig, RangeTest, None]:
    """The task and the sweep that the options describe.

    Raises:
        UserError: two of `--epochs`, `--steps` and `--time` are given, or `--seeds` and `--time`.
    """
    epochs, steps, seeds, time = (
        setting_of(RangeTest, name) for name in ("epochs", "steps", "seeds", "time")
    )
    refuse_both(args, epochs, steps, "the length of the sweep")
    for length in (epochs, steps):
        refuse_both(args, length, time, "the length of the sweep")
    refuse_both(args, seeds, time, "the number of sweeps")
    return task_from_args(args, TaskConfig()), with_options(RangeTest(), args), None


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, range_test_from_args)

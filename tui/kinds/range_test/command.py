"""The command that starts range tests."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from clr_tui.tui.cli.defaults import RANGE_TEST
from clr_tui.tui.cli.option_groups import (
    add_detach,
    add_optimizer,
    add_real,
    add_task,
    add_whole,
)
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.settings.config import RangeTest, TaskConfig
    from clr_tui.tui.cli.parsing import Parser

DESCRIPTION = """\
Sweep the learning rate upwards, step by step, and draw the loss against it: the chart
says between which bounds to train. The work is done by a process of its own, which
goes on when the terminal closes."""
EXAMPLES = """\
clr-tui range-test                                  on the embedded digits
clr-tui range-test --data flowers --image-size 32   on images, one folder a class
clr-tui range-test --data flowers --model resnet34  transfer learning
clr-tui range-test --seeds 3 --accuracy             three sweeps, with accuracy
clr-tui range-test --headless --json > result.json  for a script"""


def add_options(parser: Parser) -> None:
    """Adds them to the parser of the command."""
    group = parser.add_argument_group("the sweep")
    add_real(group, "--start-lr", "1e-7", f"the first rate (default {RANGE_TEST.start_lr:g})")
    add_real(group, "--end-lr", "1", f"the last rate (default {RANGE_TEST.end_lr:g})")
    add_real(
        group,
        "--epochs",
        "2",
        f"its length in epochs, at least 100 steps (default {RANGE_TEST.epochs:g})",
    )
    add_whole(group, "--steps", "200", "its length in steps, instead of --epochs")
    add_whole(
        group, "--seeds", "3", f"sweeps, each with a seed of its own (default {RANGE_TEST.seeds})"
    )
    group.add_argument(
        "--accuracy",
        action="store_true",
        help="also measure accuracy on a validation subset (Smith's own reading)",
    )
    add_optimizer(group)
    add_detach(group)
    add_task(parser)


def settings(args: argparse.Namespace, _runs: Path) -> tuple[TaskConfig, RangeTest, None]:
    """The task and the sweep that the options describe."""
    from clr_tui.tui.cli.job_options import task_of
    from clr_tui.tui.kinds.range_test.from_options import range_test_of

    return task_of(args), range_test_of(args), None


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

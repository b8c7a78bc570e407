"""The command that starts range tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clr_tui.engine.settings.config import RangeTest
from clr_tui.engine.settings.table import settings_of
from clr_tui.tui.cli.option_groups import add_detach, add_settings, add_task
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from clr_tui.engine.settings.config import TaskConfig
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
    add_settings(group, settings_of(RangeTest))
    add_detach(group)
    add_task(parser)


def settings(args: argparse.Namespace, _runs: Path) -> tuple[TaskConfig, RangeTest, None]:
    """The task and the sweep that the options describe."""
    from clr_tui.tui.cli.job_options import task_of
    from clr_tui.tui.kinds.range_test.from_options import range_test_of

    return task_of(args), range_test_of(args), None


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

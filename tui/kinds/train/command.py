"""The command that starts trainings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from clr_tui.tui.cli.defaults import POLICIES, TRAIN
from clr_tui.tui.cli.option_groups import (
    add_detach,
    add_optimizer,
    add_real,
    add_schedule,
    add_task,
    add_whole,
)
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.settings.config import TaskConfig, Train
    from clr_tui.tui.cli.parsing import Parser

DESCRIPTION = """\
Train with a learning rate that cycles between two bounds: those of a range test
(--from), or your own (--max-lr). The work is done by a process of its own, which goes
on when the terminal closes."""
EXAMPLES = """\
clr-tui train --from range-test-flowers-1           its bounds, data and settings
clr-tui train --from range-test-flowers-1 --max-lr 5e-3 --epochs 24
clr-tui train --data flowers --max-lr 3.6e-3        base_lr is a sixth of it
clr-tui train --max-lr 0.01 --policy one-cycle --detach"""


def add_options(parser: Parser) -> None:
    """Adds them to the parser of the command."""
    group = parser.add_argument_group("the training")
    group.add_argument(
        "--from",
        dest="parent",
        metavar="RUN",
        help="take the bounds and all settings from this range test, unless given here",
    )
    add_real(group, "--base-lr", "6e-4", "the lower bound (default: the upper one / factor)")
    add_real(
        group, "--max-lr", "3.6e-3", "the upper bound (default: what the range test recommends)"
    )
    group.add_argument(
        "--policy", metavar="NAME", help=f"{', '.join(POLICIES)} (default {TRAIN.policy})"
    )
    add_schedule(group)
    add_whole(
        group, "--epochs", "16", f"length, rounded up to whole cycles (default {TRAIN.epochs})"
    )
    group.add_argument(
        "--no-whole-cycles", action="store_true", help="do not round the length to whole cycles"
    )
    add_optimizer(group)
    add_detach(group)
    add_task(parser)


def settings(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Train, str | None]:
    """The task, the training, and the range test that they came from, where one was named."""
    from clr_tui.tui.kinds.train.from_options import training_of

    return training_of(args, runs)


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

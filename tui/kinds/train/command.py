"""The command that starts trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clr_tui.engine.settings.config import Train
from clr_tui.engine.settings.table import settings_of
from clr_tui.tui.cli.option_groups import add_detach, add_settings, add_task
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from clr_tui.engine.settings.config import TaskConfig
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
    add_settings(group, settings_of(Train))
    add_detach(group)
    add_task(parser)


def settings(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Train, str | None]:
    """The task, the training, and the range test that they came from, where one was named."""
    from clr_tui.tui.kinds.train.from_options import training_of

    return training_of(args, runs)


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

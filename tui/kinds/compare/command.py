"""The command that starts comparisons."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.table import settings_of
from clr_tui.tui.cli.option_groups import add_detach, add_setting, add_task
from clr_tui.tui.cli.parsing import rates
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from clr_tui.engine.settings.config import TaskConfig
    from clr_tui.tui.cli.parsing import Parser

DESCRIPTION = """\
Train with several optimizers from the same seeds, and say what the seeds can and cannot
tell apart: curves with intervals, a table, a verdict. The work is done by processes of
its own, which go on when the terminal closes."""
EXAMPLES = """\
clr-tui compare --optimizers adam,sgd+clr           on the embedded digits
clr-tui compare --study cnn --data flowers --epochs 16
clr-tui compare --study resnet34 --data flowers --target 90% --detach
clr-tui compare --optimizers "adamw(weight_decay=0.05)+one-cycle,adam(lr=3e-3)"
clr-tui compare --lr tuned --seeds 5 --jobs 2       a range test for each optimizer
clr-tui compare --from train-flowers-1              on its data, with its model"""


def add_options(parser: Parser) -> None:
    """Adds them to the parser of the command."""
    group = parser.add_argument_group("the comparison")
    group.add_argument(
        "--from", dest="parent", metavar="RUN", help="take the task of this run, unless given here"
    )
    for setting in settings_of(Compare):
        if setting.name == "rates":
            words = setting.choices
            more = (*words, "or a rate for all that name none")
            one = replace(setting, choices=more, metavar="|".join((*words, "X")))
            add_setting(group, one, rates("--lr", words))
        else:
            add_setting(group, setting)
    add_detach(group)
    add_task(parser)


def settings(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    """The task, the comparison, and the run whose task it is, where one was named."""
    from clr_tui.tui.kinds.compare.from_options import comparison_of

    return comparison_of(args, runs)


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

"""The command that starts comparisons."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from clr_tui.tui.cli.defaults import COMPARE, RATES, SEEDS, STUDIES
from clr_tui.tui.cli.option_groups import (
    add_detach,
    add_schedule,
    add_task,
    add_whole,
)
from clr_tui.tui.cli.parsing import accuracy, rates
from clr_tui.tui.kinds.parts import Command

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.settings.config import Compare, TaskConfig
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
    group = parser.add_argument_group("the optimizers")
    group.add_argument(
        "--optimizers",
        metavar="LIST",
        help="with commas between them, each a class of torch.optim or package.module:Class, with"
        " options as 'adamw(weight_decay=0.05)' and a policy as sgd+clr or adam+one-cycle (default:"
        " the six of the article)",
    )
    group.add_argument(
        "--lr",
        type=rates("--lr", RATES),
        metavar="default|tuned|X",
        help="default: torch's own rates (a policy has none, and is tuned); tuned: a range test"
        " each, of one length; or the rate of all that name none (default default)",
    )
    add_schedule(group)
    group.add_argument(
        "--study",
        metavar="NAME",
        help=f"the article's comparison on the model {' or '.join(STUDIES)}, {SEEDS} seeds;"
        " other options go over it",
    )
    _add_trials(parser.add_argument_group("the trials"))
    group.add_argument(
        "--from", dest="parent", metavar="RUN", help="take the task of this run, unless given here"
    )
    add_task(parser)


def _add_trials(group: argparse._ActionsContainer) -> None:
    add_whole(group, "--seeds", "3", f"trials of each optimizer (default {COMPARE.seeds})")
    add_whole(
        group,
        "--epochs",
        "16",
        f"length of each, rounded up to whole cycles (default {COMPARE.epochs})",
    )
    group.add_argument(
        "--whole-cycles",
        action=argparse.BooleanOptionalAction,
        help="round the length to whole cycles, or not (default: rounded, but in a study)",
    )
    group.add_argument(
        "--target",
        type=accuracy,
        metavar="X%",
        help="an accuracy on validation, as 65%% or 0.65: how long each needs to reach it is told",
    )
    add_whole(
        group, "--jobs", "2", "trials side by side (default: as cores, GPUs and memory allow)"
    )
    add_whole(group, "--threads", "1", f"CPU threads of each (default {COMPARE.threads})")
    add_detach(group)


def settings(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    """The task, the comparison, and the run whose task it is, where one was named."""
    from clr_tui.tui.kinds.compare.from_options import comparison_of

    return comparison_of(args, runs)


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, settings)

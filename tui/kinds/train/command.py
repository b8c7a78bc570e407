"""The command that starts trainings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import (
    FACTOR,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.table import setting_of, settings_of
from clr_tui.tui.cli.job_options import (
    add_settings,
    add_task,
    task_from_args,
    with_options,
)
from clr_tui.tui.cli.parsing import Parser, add_detach
from clr_tui.tui.kinds.registry import KINDS, Command

if TYPE_CHECKING:
    from clr_tui.engine.log.rundir import RunDir

DESCRIPTION = """\
Train with a learning rate that moves between two bounds, either from a range
test (--from) or your own (--max-lr). A separate process does the work and keeps
running when the terminal closes."""
EXAMPLES = """\
clr-tui train --from range-test-flowers-1     its bounds, data and settings
clr-tui train --from range-test-flowers-1 --max-lr 5e-3 --epochs 24
clr-tui train --data flowers --max-lr 3.6e-3  base_lr is a sixth of it
clr-tui train --task mytask.py --max-lr 0.01  your own model and data
clr-tui train --max-lr 0.01 --policy one-cycle --detach"""


def add_options(parser: Parser) -> None:
    """Add the options to the command's parser."""
    group = parser.add_argument_group("training options")
    group.add_argument(
        "--from",
        dest="parent",
        metavar="RUN",
        help="use the bounds and settings of this range test; options given here override them",
    )
    add_settings(group, settings_of(Train))
    add_detach(group)
    add_task(parser)


def training_from_args(
    args: argparse.Namespace, runs: Path
) -> tuple[TaskConfig, Train, str | None]:
    """The task, the training, and the id of the range test given as `--from`.

    Raises:
        UserError: there are no bounds, or the range test recommends none.
    """
    given, optimizer, parent = TaskConfig(), OptimizerConfig(), None
    if args.parent is not None:
        from clr_tui.engine.log.rundir import find_run  # not for `--help`

        parent = find_run(runs, args.parent)
        config = parent.config()
        if not isinstance(config.job, RangeTest):
            raise UserError(
                f"--from '{parent.id}' is {KINDS[config.kind].phrase}; name a range test to use its"
                " bounds"
            )
        given, optimizer = config.task, config.job.optimizer
    base_lr, max_lr = _bounds(args, parent)
    job = with_options(Train(base_lr=base_lr, max_lr=max_lr, optimizer=optimizer), args)
    return task_from_args(args, given), job, config.id if parent else None


def _bounds(args: argparse.Namespace, parent: RunDir | None) -> tuple[float, float]:
    """base_lr and max_lr as given; else max_lr of the range test, and base_lr from max_lr."""
    base_lr, max_lr = args.base_lr, args.max_lr
    if max_lr is None:
        if parent is None:
            raise UserError(
                "train needs bounds: give --max-lr (and --base-lr), or --from RUN for those of a"
                " range test",
                "max_lr",
            )
        max_lr = _recommended(parent)
    factor = FACTOR if args.factor is None else args.factor
    # Checked here, since base_lr is computed from them.
    for name, value in (("max_lr", max_lr), ("factor", factor)):
        if mistake := setting_of(Train, name).mistake(value):
            raise mistake
    return (max_lr / factor if base_lr is None else base_lr), max_lr


def _recommended(run: RunDir) -> float:
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.analysis.report import range_report
    from clr_tui.engine.log.tail import read_events

    config = run.config()
    history = RunHistory(config)
    history.feed(read_events(run.events_path))
    report = range_report(history, smoothing=config.asked(RangeTest).smoothing, live=run.alive)
    if report.bounds is None:
        why = report.verdict.sentence.rstrip(".")
        raise UserError(
            f"{run.id} recommends no bounds: {why[:1].lower()}{why[1:]};"
            " give --max-lr, or sweep again"
        )
    return report.bounds.max_lr


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, training_from_args)

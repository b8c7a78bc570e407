"""The command that starts comparisons."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from clr_tui.engine.settings.config import (
    AROUND,
    Compare,
    EntryConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
)
from clr_tui.engine.settings.entries import article_entries, entry_of
from clr_tui.engine.settings.rate_grid import split_around
from clr_tui.engine.settings.studies import study
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
Train several optimizers from the same seeds and report which differences the
seeds support: curves with confidence intervals, a table and a verdict.
Separate processes do the work and keep running when the terminal closes."""
EXAMPLES = """\
clr-tui compare --optimizers adam,sgd+clr      on the built-in digits
clr-tui compare --task mytask.py --lr tuned    your own model and data
clr-tui compare --study cnn --data flowers --epochs 16
clr-tui compare --study resnet34 --data flowers --target 90% --detach
clr-tui compare --optimizers "adamw(weight_decay=0.05)+cosine,adam(lr=3e-3)"
clr-tui compare --lr tuned --seeds 5 --jobs 2  a range test for each optimizer
clr-tui compare --time 30m                     as many seeds as fit in it
clr-tui compare --from train-flowers-1         with its data and model
clr-tui compare --optimizers sgd+clr,adam --lr grid:1e-4..0.1x7
                                               each optimizer at 7 rates
clr-tui compare --lr around:range-test-flowers-1
                                               what its recommendation costs"""


def add_options(parser: Parser) -> None:
    """Add the options to the command's parser."""
    group = parser.add_argument_group("comparison options")
    group.add_argument(
        "--from",
        dest="parent",
        metavar="RUN",
        help="use the task options of this run; options given here override them",
    )
    add_settings(group, settings_of(Compare))
    add_detach(group)
    add_task(parser)


def comparison_from_args(
    args: argparse.Namespace, runs: Path
) -> tuple[TaskConfig, Compare, str | None]:
    """The task, the comparison, and the id of the run given as `--from`.

    Options override the study, and the study overrides the run's task. `--lr around:RUN` is also
    `--from RUN` unless another run is given, and without `--optimizers` trains the one it swept.

    Raises:
        UserError: the optimizers cannot be read, there is no such run or study, or both `--seeds`
            and `--time` are given.
    """
    seeds, time = (setting_of(Compare, name) for name in ("seeds", "time"))
    refuse_both(args, seeds, time, "the number of seeds")
    from clr_tui.engine.log.rundir import find_run  # not for `--help`

    swept = find_run(runs, around).config() if (around := _around(args)) else None
    parent = swept if args.parent is None else find_run(runs, args.parent).config()
    task = parent.task if parent else TaskConfig()
    if not args.study:
        job = Compare(entries=_swept(swept) or article_entries())
    else:
        changes, job = study(args.study)
        task = msgspec.structs.replace(task, **changes)
    return task_from_args(args, task), with_options(job, args), parent.id if parent else None


def _swept(run: RunConfig | None) -> list[EntryConfig]:
    """The optimizer of a range test, cycling; empty if it is none."""
    is_sweep = run is not None and isinstance(run.job, RangeTest)
    return [entry_of(run.asked(RangeTest).optimizer)] if run is not None and is_sweep else []


def _around(args: argparse.Namespace) -> str:
    """The run in `--lr around:RUN`; empty without."""
    given = isinstance(args.lr, str) and args.lr.startswith(AROUND)
    return split_around(args.lr)[0] if given else ""


COMMAND = Command(DESCRIPTION, EXAMPLES, add_options, comparison_from_args)

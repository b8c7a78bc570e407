"""The comparison that the options of its command describe."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from clr_tui.engine.log.rundir import find_run
from clr_tui.engine.settings.config import (
    Compare,
    TaskConfig,
)
from clr_tui.engine.settings.entries import article_entries, parse_entries
from clr_tui.engine.settings.studies import study
from clr_tui.tui.cli.job_options import task_of, with_options

SCHEDULE = ("factor", "step_size_epochs", "gamma")
TRIALS = ("seeds", "epochs", "whole_cycles", "target", "jobs", "threads")
"""Settings of a comparison that an option of the same name sets."""


def comparison_of(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    """The task, the comparison and the id of the run whose task it is, where one was named.

    Options go over the study, and the study over the run's task.

    Raises:
        UserError: where the optimizers cannot be read, or there is no such run or study.
    """
    parent = None if args.parent is None else find_run(runs, args.parent).config()
    task = parent.task if parent else TaskConfig()
    if args.study is None:
        job = Compare(entries=article_entries())
    else:
        changes, job = study(args.study)
        task = msgspec.structs.replace(task, **changes)
    if args.optimizers is not None:
        job = msgspec.structs.replace(job, entries=parse_entries(args.optimizers))
    job = with_options(with_options(job, args, SCHEDULE), args, TRIALS)
    return task_of(args, task), _rated(job, args.lr), parent.id if parent else None


def _rated(job: Compare, lr: float | str | None) -> Compare:
    """With the rates that `--lr` asks for: of all entries that give none of their own."""
    if lr is None:
        return job
    if isinstance(lr, str):
        return msgspec.structs.replace(job, rates=lr)
    entries = [
        entry if entry.lr is not None else msgspec.structs.replace(entry, lr=lr)
        for entry in job.entries
    ]
    return msgspec.structs.replace(job, entries=entries)

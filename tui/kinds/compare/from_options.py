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
from clr_tui.engine.settings.entries import article_entries
from clr_tui.engine.settings.studies import study
from clr_tui.tui.cli.job_options import task_of, with_options


def comparison_of(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    """The task, the comparison and the id of the run whose task it is, where one was named.

    Options go over the study, and the study over the run's task.

    Raises:
        UserError: where the optimizers cannot be read, or there is no such run or study.
    """
    parent = None if args.parent is None else find_run(runs, args.parent).config()
    task = parent.task if parent else TaskConfig()
    if not args.study:
        job = Compare(entries=article_entries())
    else:
        changes, job = study(args.study)
        task = msgspec.structs.replace(task, **changes)
    lr, args.rates = args.rates, None  # which may also be one rate for all
    job = _rated(with_options(job, args), lr)
    return task_of(args, task), job, parent.id if parent else None


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

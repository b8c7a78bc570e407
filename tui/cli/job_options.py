"""What the command line asks for, as the configuration of a run."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import RunDir, find_run
from clr_tui.engine.settings.config import (
    Compare,
    OptimizerConfig,
    RangeTest,
    RunConfig,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.entries import article_entries, parse_entries, parse_optimizer
from clr_tui.engine.settings.studies import study
from clr_tui.tui.cli.option_groups import FACTOR
from clr_tui.tui.kinds.registry import KINDS

S = TypeVar("S", bound=msgspec.Struct)
SCHEDULE = ("factor", "step_size_epochs", "gamma")
TRIALS = ("seeds", "epochs", "whole_cycles", "target", "jobs", "threads")
"""Settings of a comparison that an option of the same name sets."""


def task_of(args: argparse.Namespace, given: TaskConfig | None = None) -> TaskConfig:
    """The task: what the options say, over `given` or the defaults."""
    task = _with(
        given or TaskConfig(),
        args,
        ("data", "model", "weights", "batch_size", "image_size", "seed", "device"),
    )
    if args.no_augment:
        task = msgspec.structs.replace(task, augment=False)
    return msgspec.structs.replace(task, compile=True) if args.compile else task


def range_test_of(args: argparse.Namespace) -> RangeTest:
    """The sweep that the options describe.

    Raises:
        UserError: where both `--epochs` and `--steps` are given.
    """
    if args.epochs is not None and args.steps is not None:
        raise UserError(
            f"--epochs {args.epochs:g} and --steps {args.steps} both set the length of the sweep;"
            " give one of them",
            "steps",
        )
    sweep = _with(RangeTest(), args, ("start_lr", "end_lr", "epochs", "steps", "seeds"))
    return msgspec.structs.replace(
        sweep, accuracy=args.accuracy, optimizer=_optimizer(args, OptimizerConfig())
    )


def training_of(args: argparse.Namespace, runs: Path) -> tuple[TaskConfig, Train, str | None]:
    """The task, the training and the id of the range test that gave them, where one did.

    Raises:
        UserError: where there are no bounds, or the range test recommends none.
    """
    if args.parent is not None:
        run = find_run(runs, args.parent)
        parent, sweep = _range_test(run)
        base_lr, max_lr = _bounds(args, run)
        given, optimizer = parent.task, sweep.optimizer
    else:
        base_lr, max_lr = _bounds(args, None)
        given, optimizer, parent = TaskConfig(), OptimizerConfig(), None
    job = _with(
        Train(base_lr=base_lr, max_lr=max_lr),
        args,
        ("policy", "step_size_epochs", "epochs", "gamma"),
    )
    job = msgspec.structs.replace(
        job, whole_cycles=not args.no_whole_cycles, optimizer=_optimizer(args, optimizer)
    )
    return task_of(args, given), job, parent.id if parent else None


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
    job = _with(_with(job, args, SCHEDULE), args, TRIALS)
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


def _range_test(run: RunDir) -> tuple[RunConfig, RangeTest]:
    config = run.config()
    if not isinstance(config.job, RangeTest):
        raise UserError(
            f"--from '{run.id}' is {KINDS[config.kind].phrase}; name a range test, whose bounds are"
            " to be used"
        )
    return config, config.job


def _bounds(args: argparse.Namespace, parent: RunDir | None) -> tuple[float, float]:
    """base_lr and max_lr: as given, else from the range test, base_lr at last from max_lr."""
    factor = FACTOR if args.factor is None else args.factor
    if not (math.isfinite(factor) and factor > 1):
        raise UserError(f"--factor {factor:g} is not above 1; give one like {FACTOR:g}")
    base_lr, max_lr = args.base_lr, args.max_lr
    if max_lr is None:
        if parent is None:
            raise UserError(
                "train needs bounds: give --max-lr (and --base-lr), or --from RUN for those of a"
                " range test",
                "max_lr",
            )
        max_lr = _recommended(parent)
    if not (math.isfinite(max_lr) and max_lr > 0):
        raise UserError(
            f"--max-lr {max_lr:g} is not a learning rate; give a number above 0 like 3.6e-3",
            "max_lr",
        )
    return (max_lr / factor if base_lr is None else base_lr), max_lr


def _recommended(run: RunDir) -> float:
    """max_lr of a range test as its log stands now."""
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


def _optimizer(args: argparse.Namespace, given: OptimizerConfig) -> OptimizerConfig:
    """`given`, or the one that is named, with momentum and weight decay as the options say."""
    if args.optimizer is not None:
        named = parse_optimizer(args.optimizer)
        given = given if args.optimizer.strip().lower() == given.name else named
    if given.name == "sgd":
        return _with(given, args, ("momentum", "weight_decay"))
    if args.momentum is not None:
        raise UserError(
            f"--momentum is an option of sgd, and this is {given.name}: leave it out", "momentum"
        )
    if args.weight_decay is None:
        return given
    # Given as it stands, since 0 is not what all of them have by themselves.
    options = {**given.options, "weight_decay": args.weight_decay}
    return msgspec.structs.replace(given, options=options)


def _with(config: S, args: argparse.Namespace, names: tuple[str, ...]) -> S:
    """`config` with those of the named settings that the command line gave."""
    given: dict[str, Any] = {
        name: getattr(args, name) for name in names if getattr(args, name) is not None
    }
    return msgspec.structs.replace(config, **given)

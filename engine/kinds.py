"""What the engine does with each kind of run.

Everything is named as "module:name", for `by_name.named` to import where it is used: a reader of
logs must load no torch, and a list of runs no numpy.
"""

from __future__ import annotations

from typing import NamedTuple


class JobKind(NamedTuple):
    """What the engine does with one kind of run."""

    check: str
    """`(TaskConfig, Job) -> Iterable[UserError]`: mistakes that show without torch."""
    try_early: str
    """`(RunConfig) -> None`: raises `UserError` for what torch refuses, before data is decoded."""
    run: str
    """`(Work) -> Result`: does the job, in the worker."""
    report: str
    """`(RunHistory, *, live: bool) -> Report`: what came of it."""
    headline: str
    """`(RunHistory) -> str`: the result in a few words; empty: the job's own `Result` says it."""
    standing: str
    """A `Standing`: where a living run stands, for lists of runs."""
    job_of_log: str
    """`(list[AnyEvent]) -> Job`: what was asked, as far as a log without its `run.json` tells."""
    check_machine: str = ""
    """`(Job, cores: int) -> Iterable[UserError]`: what this machine has too little of."""
    named_trials: bool = False
    """Whether its trials have names of their own, which a table of all their steps must give."""


_ENGINE = "clr_tui.engine"
JOB_KINDS: dict[str, JobKind] = {
    "range-test": JobKind(
        check=f"{_ENGINE}.settings.check:check_range_test",
        try_early=f"{_ENGINE}.training.optimizers:try_optimizer",
        run=f"{_ENGINE}.training.range_test:run_range_test_job",
        report=f"{_ENGINE}.analysis.report:range_report",
        headline=f"{_ENGINE}.analysis.report:range_headline",
        standing=f"{_ENGINE}.log.standing:SWEEPS",
        job_of_log=f"{_ENGINE}.analysis.recordings.recording:range_test_in",
    ),
    "train": JobKind(
        check=f"{_ENGINE}.settings.check:check_training",
        try_early=f"{_ENGINE}.training.optimizers:try_optimizer",
        run=f"{_ENGINE}.training.training:run_training_job",
        report=f"{_ENGINE}.analysis.report:train_report",
        headline="",
        standing=f"{_ENGINE}.log.standing:TRAINING",
        job_of_log=f"{_ENGINE}.analysis.recordings.recording:training_in",
    ),
    "compare": JobKind(
        check=f"{_ENGINE}.settings.check:check_comparison",
        try_early=f"{_ENGINE}.comparing.compare_job:try_optimizers",
        run=f"{_ENGINE}.comparing.compare_job:run_compare_job",
        report=f"{_ENGINE}.analysis.comparison.comparison_report:compare_report",
        headline=f"{_ENGINE}.analysis.comparison.comparison_report:compare_headline",
        standing=f"{_ENGINE}.log.standing:COMPARISON",
        job_of_log=f"{_ENGINE}.analysis.recordings.recording:comparison_in",
        check_machine=f"{_ENGINE}.settings.check:check_room",
        named_trials=True,
    ),
}
"""By the names of `settings.config.JOBS`."""

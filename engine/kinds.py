"""What the engine does with each kind of run.

Everything is given as "module:name" and imported by `by_name.named` only where it is used: reading
a log must not load torch, and listing runs must not load numpy.
"""

from __future__ import annotations

from typing import NamedTuple


class JobKind(NamedTuple):
    """What the engine does with one kind of run."""

    check: str
    """`(TaskConfig, Job) -> Iterable[UserError]`: mistakes that can be found without torch."""
    try_early: str
    """`(RunConfig) -> None`: raises `UserError` for what torch refuses, before data is decoded."""
    run: str
    """`(Work) -> Result`: does the job, in the worker; empty if no worker of ours does it."""
    report: str
    """`(RunHistory, *, live: bool) -> Report`: the result so far, or in the end."""
    headline: str
    """`(RunHistory) -> str`: the result in a few words; empty: taken from the job's `Result`."""
    standing: str
    """A `Standing`: the progress of a living run, for lists of runs."""
    job_of_log: str
    """`(list[AnyEvent]) -> Job`: the job as far as a log without its `run.json` shows it."""
    resolve: str = ""
    """`(TaskConfig, Job, runs: Path) -> Job`: the job as `run.json` stores it, with what its
    settings leave open worked out; raises `UserError`. Called before `check`."""
    as_asked: str = ""
    """`(Job) -> Job`: a stored job as it was asked for, to ask for it again."""
    check_machine: str = ""
    """`(Job, cores: int) -> Iterable[UserError]`: what this machine lacks for the job."""
    named_trials: bool = False
    """Whether its trials have names, which tables of all steps must include."""

    @property
    def has_worker(self) -> bool:
        """Whether a worker of ours does it, in trials; else it is a user's own program."""
        return bool(self.run)


_ENGINE = "clr_tui.engine"
JOB_KINDS: dict[str, JobKind] = {
    "range-test": JobKind(
        check=f"{_ENGINE}.settings.check:check_range_test",
        try_early=f"{_ENGINE}.training.optimizers.recipes:try_optimizer",
        run=f"{_ENGINE}.training.range_test:run_range_test_job",
        report=f"{_ENGINE}.analysis.report:range_report",
        headline=f"{_ENGINE}.analysis.report:range_headline",
        standing=f"{_ENGINE}.log.standing:SWEEPS",
        job_of_log=f"{_ENGINE}.analysis.recordings.recording:range_test_in",
    ),
    "train": JobKind(
        check=f"{_ENGINE}.settings.check:check_training",
        try_early=f"{_ENGINE}.training.torch_schedules:try_training",
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
        resolve=f"{_ENGINE}.analysis.comparison.asked_rates:resolve_rates",
        as_asked=f"{_ENGINE}.settings.rate_grid:as_asked",
        check_machine=f"{_ENGINE}.settings.check:check_room",
        named_trials=True,
    ),
    "logged": JobKind(
        check="",
        try_early="",
        run="",
        report=f"{_ENGINE}.analysis.logged_report:logged_report",
        headline=f"{_ENGINE}.analysis.logged_report:logged_headline",
        standing=f"{_ENGINE}.log.standing:LOGGED",
        job_of_log=f"{_ENGINE}.analysis.recordings.recording:logged_run_in",
    ),
}
"""Keyed by the names in `settings.config.JOBS`."""


def startable_kinds() -> list[str]:
    """The kinds of run that a worker can be started for."""
    return [name for name, kind in JOB_KINDS.items() if kind.has_worker]

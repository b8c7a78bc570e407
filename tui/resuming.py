"""Continuing a run whose worker is gone."""

from __future__ import annotations

from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.commands import Resume
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.restarting import watch_over
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.state import State
from clr_tui.engine.log.summary import RunSummary, summarise
from clr_tui.engine.policies import is_planned_to_its_end, whole_cycle_epochs
from clr_tui.engine.settings.config import RunConfig, Train
from clr_tui.engine.settings.table import setting_of
from clr_tui.engine.settings.training_needs import check_can_train
from clr_tui.engine.words import many

RESUMABLE: frozenset[State] = frozenset({"stopped", "failed", "lost"})
"""The states from which a run can be continued, most likely."""


def resume_run(run: RunDir, *, reason: str, epochs: int | None = None, restarts: int = 0) -> str:
    """Starts another worker, which continues the run from its newest checkpoint.

    Args:
        reason: who asks for it, for the log.
        epochs: how long the training is to be; None: as long as it was.
        restarts: how often to restart the worker if it dies.

    Returns:
        A sentence about what that does to the schedule; empty if the training is not extended.

    Raises:
        UserError: the run cannot be continued.
    """
    config, summary = run.config(), summarise(run)
    words = "" if epochs is None else _check_extension(run, config, epochs)
    check_resumable(run, config, summary, extended=epochs is not None)
    check_can_train()
    launch(run, Resume(reason=reason, epochs=epochs))
    if restarts:
        watch_over(run, restarts)
    return words


def check_resumable(
    run: RunDir, config: RunConfig, summary: RunSummary, *, extended: bool = False
) -> None:
    """Raises UserError, with the reason, if the run cannot be continued."""
    if not JOB_KINDS[config.kind].has_worker:
        raise UserError(
            f"{run.id} is of a program of your own, which clr-tui only watches: start that again"
        )
    if not config.task.model:
        raise UserError(f"{run.id} was imported: there is no training to continue")
    if run.alive:
        raise UserError(f"{run.id} is running: there is nothing to resume")
    if summary.status == "done" and not extended:
        longer = "; --epochs N makes it longer" if isinstance(config.job, Train) else ""
        raise UserError(f"{run.id} is done: there is nothing to resume{longer}")
    if summary.status == "failed" and summary.message.startswith("the loss is not finite"):
        raise UserError(
            f"{run.id} failed because {summary.message}; it would do so again: start a new run"
        )


def _check_extension(run: RunDir, config: RunConfig, epochs: int) -> str:
    job = config.job
    if not isinstance(job, Train):
        raise UserError(f"--epochs is for trainings, which {run.id} is not", "epochs")
    if mistake := setting_of(Train, "epochs").mistake(epochs):
        raise mistake
    before = _epochs_so_far(run, config)
    if job.scheduler or is_planned_to_its_end(job.policy):
        name = job.schedule
        raise UserError(
            f"{run.id} cannot be made longer: {name} plans its rate over all "
            f"{many(before, 'epoch')}; start a new run with --epochs {epochs}",
            "epochs",
        )
    if epochs <= before:
        raise UserError(
            f"{run.id} has {many(before, 'epoch')} already: --epochs must be more", "epochs"
        )
    if job.policy == "constant":
        return f"{run.id} now ends after epoch {epochs} instead of {before}, at the same rate"
    whole = epochs
    if job.whole_cycles:
        whole = whole_cycle_epochs(job.policy, epochs, job.step_size_epochs)
    rounded = f" ({epochs} rounded up to whole cycles)" if whole != epochs else ""
    return (
        f"{run.id} now ends after epoch {whole}{rounded} instead of {before}: "
        f"its {job.policy} cycles continue as they were"
    )


def _epochs_so_far(run: RunDir, config: RunConfig) -> int:
    """How long the training was to be, when it was started or extended before."""
    from clr_tui.engine.log.events import RunResumed
    from clr_tui.engine.log.tail import read_events

    asked = [
        event.epochs
        for event in read_events(run.events_path).events
        if isinstance(event, RunResumed) and event.epochs is not None
    ]
    job = config.asked(Train)
    if asked:
        job = replace(job, epochs=asked[-1])
    if not job.whole_cycles:
        return job.epochs
    return whole_cycle_epochs(job.policy, job.epochs, job.step_size_epochs)

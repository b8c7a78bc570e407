"""Running a comparison in the worker: measures the machine and starts the pool."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import torch

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.comparing.accelerators import Accelerator, accelerators, chosen, spread
from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.comparing.past_trials import PastTrials
from clr_tui.engine.comparing.pool import Pool
from clr_tui.engine.comparing.scheduler import CompareContext, run_comparison
from clr_tui.engine.comparing.trial_memory import TrialNeed, trial_need
from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError
from clr_tui.engine.free_memory import available_memory
from clr_tui.engine.log.events import Note, PoolReady, Progress
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.metrics import Metric
from clr_tui.engine.parallelism import Capacity, Memory, choose_jobs, trials_on_each
from clr_tui.engine.settings.config import Compare, EntryConfig, RunConfig, Train
from clr_tui.engine.settings.entries import tuned_entries
from clr_tui.engine.settings.rate_grid import on_grid
from clr_tui.engine.tasks import user_files
from clr_tui.engine.tasks.data_mark import check_data, data_mark
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.optimizers.classes import default_lr
from clr_tui.engine.training.optimizers.recipes import PLAIN, try_to_make
from clr_tui.engine.training.range_test import sweep_steps
from clr_tui.engine.training.session import Result, TrialWork, resume_points
from clr_tui.engine.training.torch_schedules import try_scheduler
from clr_tui.engine.training.trainee import updates_per_epoch


def try_optimizers(config: RunConfig) -> None:
    """Makes the schedulers, tries optimizers that may be refused, and asks for missing rates.

    Raises:
        UserError: one cannot be used (field "optimizers").
    """
    compare = config.asked(Compare)
    repeated = {number for group in on_grid(compare) for number in group.entries[1:]}
    for entry in (e for number, e in enumerate(compare.entries) if number not in repeated):
        lr = compare.lr_of(entry) or 1.0
        training = Train(
            base_lr=lr / compare.factor,
            max_lr=lr,
            epochs=compare.epochs,
            scheduler=entry.scheduler,
        )
        try:
            try_scheduler(training)
        except UserError as error:
            raise UserError(f"'{entry.label}': {error.message}", "optimizers") from error
        _try_entry(compare, entry, config.folder)


def _try_entry(compare: Compare, entry: EntryConfig, folder: str) -> None:
    optimizer = entry.optimizer
    try:
        if optimizer.options or optimizer.name not in PLAIN:
            try_to_make(optimizer, folder)
        if compare.lr_of(entry) is None and entry not in tuned_entries(compare):
            default_lr(optimizer, folder)
    except UserError as error:
        raise UserError(error.message, "optimizers") from error


def run_compare_job(work: TrialWork) -> Result:
    """Runs the comparison in a pool of processes on this machine.

    The worker reads the data to find mistakes, measure memory and fill the cache of decoded images,
    then releases it.

    Raises:
        UserError: memory is too small for a trial, or there are too many jobs.
    """
    config, emit = work.config, work.emit
    compare = config.asked(Compare)
    past = PastTrials.read(work.past, RunDir(work.folder).events_path) if work.past else None
    needs = _needs_of(work.load(torch.device("cpu")), config, past)
    found = accelerators(config.task.device, work.device)
    devices, left_out = chosen(found, needs.memory.on_accelerator, work.precision)
    for text in left_out:
        emit(Note(level="info", text=text))
    capacity = _capacity(needs.memory, devices)
    trials = len(compare.entries) * compare.most_seeds
    jobs, reason = choose_jobs(compare.jobs, trials, compare.threads, capacity)
    threads = 0 if capacity.accelerators else compare.threads
    room = {d.name: d.room(needs.memory.on_accelerator, jobs) for d in devices} or {"cpu": jobs}
    names = spread(jobs, room)
    used = list(dict.fromkeys(names))
    ready = PoolReady(jobs=jobs, threads=threads, devices=used, reason=reason)
    emit(ready)
    work.report_on(used)
    emit(Progress(what="starting processes", done=0, total=jobs))
    context = CompareContext(
        config=config,
        executor=Pool(
            config,
            devices=names,
            jobs=jobs,
            threads=compare.threads,
            precision=work.precision,
            folder=work.folder,
            data=needs.data,
            sources=user_files.sources() if config.task.task else None,
        ),
        pool=ready,
        emit=emit,
        control=work.control,
        steps_per_epoch=needs.steps_per_epoch,
        sweep_steps=needs.sweep_steps,
        metric=needs.primary.name,
        halving=Halving(compare, planned_epochs(compare), needs.primary)
        if compare.halving
        else None,
        past=past,
        forget=lambda trial: resume_points(work.folder, config, trial, emit).remove(),
        default_rate=lambda entry: default_lr(entry.optimizer, config.folder),
    )
    try:
        return run_comparison(context, compare)
    finally:
        with suppress(OSError):  # trials that can be continued have files there
            (work.folder / "checkpoints").rmdir()


class _Needs(NamedTuple):
    """The facts about a task that the scheduler and the choice of jobs need."""

    steps_per_epoch: int
    sweep_steps: int
    primary: Metric
    memory: TrialNeed
    data: str
    """Its mark."""


def _needs_of(task: Task, config: RunConfig, past: PastTrials | None) -> _Needs:
    """Takes the only reference to the data, so that it is freed on return."""
    task.check_validation()
    if past is not None and past.data:
        check_data(past.data, task)
    batch_size = config.task.batch_size
    batches = make_batches(task, batch_size, config.task.seed)
    sweep = config.asked(Compare).range_test
    return _Needs(
        steps_per_epoch=updates_per_epoch(task, batches),
        sweep_steps=sweep_steps(sweep, len(task.train), task.samples_per_step(batch_size)),
        primary=task.primary,
        memory=trial_need(task, batches.batch_size),
        data=data_mark(task),
    )


def _capacity(need: TrialNeed, devices: Sequence[Accelerator]) -> Capacity:
    memories, own = [], [device.free for device in devices if device.free is not None]
    host = available_memory()
    if host is not None:
        memories.append(Memory(need.on_host_of_cuda if own else need.on_cpu, (host,)))
    if own:
        memories.append(Memory(need.on_accelerator, tuple(own)))
    return Capacity(
        usable_cores(),
        len(devices),
        tuple(memories),
        each=trials_on_each(devices[0].name) if devices else 0,
        exclusive=any(device.exclusive for device in devices),
    )

"""Running a whole job in the worker: chooses the device, then does what its kind does."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clr_tui.engine.by_name import named
from clr_tui.engine.cores import usable_cores
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.events import DeviceChosen, Event, Note, Progress, TaskReady
from clr_tui.engine.malloc import keep_freed_memory
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.tasks.data_mark import data_mark
from clr_tui.engine.tasks.devices import choose_device, unused_gpu
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.user_code import enter
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.changed_files import reporting_changes
from clr_tui.engine.training.compiling import without_compile_off_cuda
from clr_tui.engine.training.control import Control
from clr_tui.engine.training.device_usage import reporting_usage
from clr_tui.engine.training.randomness import stream
from clr_tui.engine.training.session import Result, TrialWork
from clr_tui.engine.training.stoppable import stoppable
from clr_tui.engine.training.trainee import updates_per_epoch

if TYPE_CHECKING:
    from clr_tui.engine.analysis.history import RunHistory

PROGRESS_SECONDS = 0.25


def run_job(
    config: RunConfig,
    emit: Callable[[Event], object],
    control: Control,
    folder: Path,
    past: RunHistory | None = None,
) -> Result:
    """Does the job in `config` in the run's directory `folder`, logging to `emit`.

    Args:
        past: what earlier workers logged, if the run is resumed.

    Raises:
        UserError: the job cannot be done.
        Stopped: the run was stopped before the first step.
    """
    emit = without_repeated_notes(emit, past.notes if past else ())
    enter(config.task.task, config.folder)
    _start_torch(emit, config)
    control.raise_if_stopped()
    device, name, memory, precision = choose_device(config.task.device)
    tune_torch(device)
    if device.type == "cpu":  # elsewhere steps take no memory of the machine
        keep_freed_memory()
    if text := unused_gpu(config.task.device, device):
        emit(Note(level="warning", text=text))
    emit(
        DeviceChosen(
            device=str(device),
            name=name,
            precision=precision,
            torch=str(torch.__version__),
            memory=memory,
        )
    )
    config = without_compile_off_cuda(config, device, emit)

    def load(where: torch.device) -> Task:
        progress = throttled_progress(emit, control.raise_if_stopped)
        own = stoppable(control.raise_if_stopped) if config.task.task else nullcontext()
        with own:
            task = load_task(config.task, where, progress, note)
        emit(_task_ready(task, config, precision))
        return task

    def note(text: str) -> None:
        emit(Note(level="warning", text=text))

    with reporting_usage(device, emit) as report_on, reporting_changes(config.task, note):
        run: Callable[[TrialWork], Result] = named(JOB_KINDS[config.kind].run)
        work = TrialWork(config, device, precision, emit, control, folder, load, past, report_on)
        return run(work)


def _start_torch(emit: Callable[[Event], object], config: RunConfig) -> None:
    """Sets up torch, with progress: making the first optimizer takes seconds."""
    emit(Progress(what="starting torch", done=1, total=2))
    named(JOB_KINDS[config.kind].try_early)(config)
    use_all_cores()
    emit(Progress(what="starting torch", done=2, total=2))


def use_all_cores() -> None:
    """Lets torch use every core that this process may use, unless OMP_NUM_THREADS is set.

    More threads than a container's quota would slow each other down.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(usable_cores())


def tune_torch(device: torch.device) -> None:
    """Makes CUDA faster: all batches have one size, so cuDNN may try out its algorithms.

    Changes nothing for another device: "high" would let matrix products on the CPU lose bits, too.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")


def without_repeated_notes(
    emit: Callable[[Event], object], before: Iterable[Note] = ()
) -> Callable[[Event], None]:
    """Wraps `emit` to drop repeated notes: each trial and each worker may emit the same one."""
    seen = {note.text for note in before}

    def say(event: Event) -> None:
        if isinstance(event, Note):
            if event.text in seen:
                return
            seen.add(event.text)
        emit(event)

    return say


def throttled_progress(
    emit: Callable[[Event], object],
    before: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[str, int, int], None]:
    """Emits at most four reports per second, and the last one of each kind of work.

    Args:
        emit: takes the events.
        before: called at each report; what it raises ends the work.
        clock: seconds, monotonic.
    """
    last = -math.inf

    def report(what: str, done: int, total: int) -> None:
        nonlocal last
        before()
        now = clock()
        if done >= total or now - last >= PROGRESS_SECONDS:
            last = now
            emit(Progress(what=what, done=done, total=total))

    return report


def _task_ready(task: Task, config: RunConfig, precision: str) -> TaskReady:
    """The event; fails early if the model cannot be built or a batch not filled."""
    batches = make_batches(task, config.task.batch_size, config.task.seed)
    parameters = list(task.make_model(stream(config.task.seed, "weights")).parameters())
    return TaskReady(
        name=task.name,
        model=task.model_name,
        train=len(task.train),
        validation=len(task.validation),
        test=len(task.test),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        batch_size=task.samples_per_step(config.task.batch_size),
        steps_per_epoch=updates_per_epoch(task, batches),
        metrics=task.metrics,
        samples=task.samples,
        skipped=task.skipped,
        precision=task.precision or precision,
        data=data_mark(task),
        **task.details(),
    )

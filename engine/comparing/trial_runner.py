"""Running the trials of a comparison, one after another, in a process of the pool."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from clr_tui.engine.comparing.executor import TrialWork
from clr_tui.engine.comparing.protocol import OutOfMemory, Setup, encode
from clr_tui.engine.comparing.work_queue import POOL_GONE_EXIT_CODE, WorkQueue
from clr_tui.engine.errors import UserError, describe_error
from clr_tui.engine.forks import end_if_forked
from clr_tui.engine.log.events import Event, Outcome, Resumed, Steps, TrialFinished
from clr_tui.engine.out_of_memory import is_out_of_memory
from clr_tui.engine.sudden_ends import exit_now
from clr_tui.engine.tasks.data_mark import check_data
from clr_tui.engine.tasks.devices import choose_device
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.user_code import enter
from clr_tui.engine.tasks.user_files import load_from
from clr_tui.engine.training.control import Control, StopFlag, Stopped
from clr_tui.engine.training.job import throttled_progress, tune_torch
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.range_test import run_sweep
from clr_tui.engine.training.resume_points import Continuation
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training
from clr_tui.engine.user_frames import user_traceback, with_task_place


class TrialRunner:
    """Runs each trial as if it were the only one.

    Trials do not affect one another: model, optimizer, order and generators are made from a trial's
    seed, a sweep restores what it changed, and the number of threads is fixed. So on the CPU a
    trial's curve is the same, bit for bit, in whatever process and order trials run.
    """

    def __init__(self, setup: Setup, inbox: WorkQueue, connection: Connection) -> None:
        self._setup = setup
        self._inbox = inbox
        self._connection = connection
        self._task: Task | None = None
        self._control: Control | None = None
        """Of the running trial."""
        self._stop = StopFlag()
        tune_torch(torch.device(setup.device))
        torch.set_num_threads(setup.threads)

    def do(self, work: TrialWork) -> None:
        """Runs one trial. However it ends, `trial-finished` or `OutOfMemory` is reported last."""
        reporter = _TrialReporter(self._connection, work.trial, work.logged or 0)
        orders = partial(self._inbox.orders, work.trial)
        control = self._control = Control(orders, self._stop, reporter.report)
        trial = Trial(work.trial, work.seed, work.label, work.entry, work.role)
        out_of_memory = False
        try:
            session = self._session(reporter, control)
            points = session.resume_points(trial, at_most=work.logged or 0)
            continuation = Continuation(points, work.logged)
            if work.sweep is not None:
                run_sweep(session, work.sweep, trial, continuation=continuation)
            elif work.train is not None:
                Training(session, work.train, trial, MemoryKeeper(), continuation).run()
        except Stopped as stopped:
            reporter.end("stopped", str(stopped))
        except UserError as error:
            message = error.message
            message = with_task_place(message) if error.field == "task" else message
            reporter.end("failed", message, user_traceback(error))
            out_of_memory = error.__cause__ is not None and is_out_of_memory(error.__cause__)
        except BaseException as error:  # noqa: BLE001 - the other trials continue
            traceback.print_exc()
            reporter.end("failed", describe_error(error)[0], user_traceback(error))
            out_of_memory = is_out_of_memory(error)
        reporter.send_end(out_of_memory)

    def _session(self, reporter: _TrialReporter, control: Control) -> Session:
        """Reads the data with the first trial, so that its log shows what goes wrong."""
        config = self._setup.config
        device = choose_device(self._setup.device)[0]
        if self._task is None:
            enter(config.task.task, config.folder)
            load_from(self._setup.sources)
            progress = throttled_progress(lambda event: None, self._raise_if_stopped)
            # The worker has read the data before, and has reported all notes.
            task = load_task(config.task, device, progress, lambda text: None)
            if self._setup.data:
                check_data(self._setup.data, task)
            self._task = task
        # All optimizers of a comparison are asked for by name, also that of the default settings.
        task, folder = replace(self._task, optimizer=None), Path(self._setup.folder)
        return Session(config, task, self._setup.precision, reporter.report, control, folder)

    def _raise_if_stopped(self) -> None:
        """Called by work on the data in any trial, such as features of frozen layers."""
        if self._control is not None:
            self._control.raise_if_stopped()


class _TrialReporter:
    """Sends a trial's events, but the last one only when it is known why the trial ended."""

    def __init__(self, connection: Connection, trial: int, steps: int) -> None:
        self._connection = connection
        self._trial = trial
        self._steps = steps
        """That the log has of it."""
        self._end: TrialFinished | None = None

    def report(self, event: Event) -> None:
        end_if_forked()
        if isinstance(event, TrialFinished):
            self._end = self._end or event
            return
        if isinstance(event, Steps):
            self._steps += len(event.step)
        elif isinstance(event, Resumed):
            self._steps = event.step
        self._send(event)

    def end(self, outcome: Outcome, reason: str, lines: Sequence[str] = ()) -> None:
        """Ends the trial if it has not reported its own end; `lines` are a traceback's."""
        self._end = self._end or TrialFinished(
            trial=self._trial,
            outcome=outcome,
            step=self._steps,
            reason=reason,
            traceback=list(lines),
        )

    def send_end(self, out_of_memory: bool) -> None:
        assert self._end is not None, "each trial ends with an event or an error"
        self._send(OutOfMemory(end=self._end) if out_of_memory else self._end)

    def _send(self, message: Event | OutOfMemory) -> None:
        try:
            self._connection.send_bytes(encode(message))
        except OSError:
            exit_now(POOL_GONE_EXIT_CODE)

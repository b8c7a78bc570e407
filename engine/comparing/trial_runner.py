"""Trials of a comparison, one after another, in a process of the pool."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from clr_tui.engine.comparing.executor import Work
from clr_tui.engine.comparing.protocol import Setup, encode
from clr_tui.engine.comparing.work_queue import ALONE, Inbox
from clr_tui.engine.errors import UserError, explain
from clr_tui.engine.log.commands import Command
from clr_tui.engine.log.events import Event, Outcome, Steps, TrialFinished
from clr_tui.engine.tasks.devices import choose_device
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.control import Control, StopFlag, Stopped
from clr_tui.engine.training.job import ThrottledProgress, tune_torch
from clr_tui.engine.training.keepers import InMemory
from clr_tui.engine.training.range_test import run_sweep
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training


class TrialRunner:
    """Does each trial as if it were the only one.

    Nothing of a trial reaches the next: model, optimizer, order and generators are made anew from
    its seed, a sweep puts back what it moved, and the number of threads is always the same. So its
    curve is the same on the CPU, bit for bit, wherever and after whatever it is done.
    """

    def __init__(self, setup: Setup, inbox: Inbox, connection: Connection) -> None:
        self._setup = setup
        self._inbox = inbox
        self._connection = connection
        self._task: Task | None = None
        self._control: Control | None = None
        """Of the trial under way."""
        self._stop = StopFlag()
        tune_torch()
        torch.set_num_threads(setup.threads)

    def do(self, work: Work) -> None:
        """One trial. However it goes, its last event is `trial-finished`."""
        story = _Story(self._connection, work.trial)
        orders = _Orders(self._inbox, work.trial)
        control = self._control = Control(orders, self._stop, story.tell)
        trial = Trial(work.trial, work.seed, work.label, work.entry, work.role)
        try:
            session = self._session(story, control)
            if work.sweep is not None:
                run_sweep(session, work.sweep, trial)
            elif work.train is not None:
                Training(session, work.train, trial, InMemory()).run()
        except Stopped as stopped:
            story.end("stopped", str(stopped))
        except UserError as error:
            story.end("failed", error.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other trials go on
            traceback.print_exc()
            story.end("failed", explain(error)[0])

    def _session(self, story: _Story, control: Control) -> Session:
        """The data is read with the first trial, so that what goes wrong has a place in the log."""
        config = self._setup.config
        device, _, _, precision = choose_device(self._setup.device)
        if self._task is None:
            progress = ThrottledProgress(lambda event: None, self._raise_if_stopped)
            # The worker has read it before, and told what there is to tell.
            self._task = load_task(config.task, device, progress, lambda text: None)
        return Session(config, self._task, precision, story.tell, control, Path())

    def _raise_if_stopped(self) -> None:
        """The data may have work to do in any trial: features of frozen layers, say."""
        if self._control is not None:
            self._control.raise_if_stopped()


class _Story:
    """Tells the pool of one trial."""

    def __init__(self, connection: Connection, trial: int) -> None:
        self._connection = connection
        self._trial = trial
        self._steps = 0
        self._ended = False

    def tell(self, event: Event) -> None:
        if isinstance(event, Steps):
            self._steps += len(event.step)
        self._ended = self._ended or isinstance(event, TrialFinished)
        try:
            self._connection.send_bytes(encode(event))
        except OSError:
            os._exit(ALONE)

    def end(self, outcome: Outcome, reason: str) -> None:
        """Where the trial could not tell its own end."""
        if not self._ended:
            self.tell(
                TrialFinished(trial=self._trial, outcome=outcome, step=self._steps, reason=reason)
            )


@dataclass(frozen=True)
class _Orders:
    """What the pool orders of one trial, as a source of commands."""

    inbox: Inbox
    trial: int

    def poll(self) -> list[Command]:
        return self.inbox.orders(self.trial)

"""Crashes without processes: what is on the disk while a job runs, from which others go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log.events import Event, RunResumed
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.training.resume_points import ResumePoints


class Prompt(ResumePoints):
    """Waits for the writer, and rests by count: what is on the disk is not a matter of time."""

    _asked = 0

    @property
    def is_resting(self) -> bool:
        self._asked += 1
        return self._asked % 5 != 0

    def save(self, state: dict[str, Any]) -> None:
        super().save(state)
        self.close()


@dataclass
class Crashes:
    """Copies the disk after every so many events, as if the worker had been killed there."""

    emit: Callable[[Event], object]
    folder: Path
    images: Path
    every: int
    events: list[Event] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    """The numbers of events that were written by then."""

    def __call__(self, event: Event) -> None:
        self.emit(event)
        self.events.append(event)
        if len(self.events) % self.every == 0:
            image = self.images / str(len(self.events))
            if self.folder.exists():
                shutil.copytree(self.folder, image, copy_function=_copy)
            self.at.append(len(self.events))


def _copy(source: str, target: str) -> None:
    try:
        shutil.copy(source, target)
    except FileNotFoundError:  # the writer has just renamed or deleted it
        return


def history_of(config: RunConfig, events: Sequence[Event]) -> RunHistory:
    """The history of a log with these events."""
    history = RunHistory(config)
    for event in events:
        history.apply(event)
    return history


def curves(history: RunHistory) -> dict[str, Any]:
    """All that a history says of its trials, but for times and which checkpoints were written."""
    found: dict[str, Any] = {
        "notes": [note.text for note in history.notes if " again " not in note.text]
    }
    for number, trial in history.trials.items():
        found[str(number)] = {
            "step": trial.step.tolist(),
            "lr": trial.lr.tolist(),
            "loss": np.nan_to_num(trial.loss, nan=-1).tolist(),
            "metrics": {name: trial.metric(name).tolist() for name in trial.metric_names},
            "total": (trial.total_steps, trial.seed, trial.label),
            "epochs": [_without_times(e) for e in trial.epochs],
            "evaluations": [_without_times(e) for e in trial.evaluations],
            "bounds": [_without_times(e) for e in trial.bounds],
            "end": (trial.outcome, trial.reason, trial.diverged),
        }
    return found


def _without_times(event: Event) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {name: v for name, v in fields.items() if name not in ("seq", "time", "seconds")}


def weights(folder: Path) -> dict[str, Any]:
    """The values in best.pt and last.pt."""
    found = {}
    for name in ("best", "last"):
        path = folder / "checkpoints" / f"{name}.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            kept = {k: state[k] for k in ("model", "hidden", "optimizer", "step", "epoch")}
            found[name] = _plain({**kept, "random": state["random"], "batches": state["batches"]})
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def resumed_events(before: Sequence[Event], after: Sequence[Event]) -> list[Event]:
    """The log of both workers."""
    return [*before, RunResumed(), *after]
